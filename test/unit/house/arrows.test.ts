import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cruise, type ICruiseResult, type IFlattenedRuleSet, type IResolveOptions } from 'dependency-cruiser';
import { ESLint } from 'eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Plan {
  readonly forbidden: NonNullable<IFlattenedRuleSet['forbidden']>;
  readonly options: { readonly enhancedResolveOptions: Partial<IResolveOptions> };
}

const plan = createRequire(import.meta.url)('../../../.dependency-cruiser.cjs') as Plan;

/** [importing file, what it imports, the rule that refuses it] */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['src-main/base/a.ts', '#contract/ok.js', 'arrows-of-src-main-base'],
  ['src-main/contract/a.ts', '#engine/door/ok.js', 'arrows-of-src-main-contract'],
  ['src-main/engine/tensor/a.ts', '#engine/weights/ok.js', 'arrows-of-src-main-engine-tensor'],
  ['src-main/engine/networks/a.ts', '#engine/runtime/ok.js', 'arrows-of-src-main-engine-networks'],
  ['src-main/engine/networks/b.ts', '../runtime/ok.js', 'arrows-of-src-main-engine-networks'],
  ['src-main/engine/sampling/a.ts', '#engine/networks/ok.js', 'arrows-of-src-main-engine-sampling'],
  ['src-main/engine/pipelines/a.ts', '#engine/networks/ok.js', 'arrows-of-src-main-engine-pipelines'],
  ['src-main/engine/door/a.ts', '#service/ok.js', 'arrows-of-src-main-engine-door'],
  ['src-main/service/a.ts', '#engine/pipelines/ok.js', 'arrows-of-src-main-service'],
  ['src-main/packs/a.ts', '#jobs/ok.js', 'arrows-of-src-main-packs'],
  ['src-main/cli/a.ts', '#server/ok.js', 'arrows-of-src-main-cli'],
  ['src-renderer/document/a.ts', '#canvas/ok.js', 'arrows-of-src-renderer-document'],
  ['src-renderer/canvas/a.ts', '#state/ok.js', 'arrows-of-src-renderer-canvas'],
  ['src-renderer/ui/masks/a.ts', '#ui/scales/ok.js', 'arrows-of-src-renderer-ui-topic'],
  ['src-renderer/ui/masks/b.ts', '#link/ok.js', 'arrows-of-src-renderer-ui-topic'],
  ['src-renderer/ui/shared/a.ts', '#contract/ok.js', 'arrows-of-src-renderer-ui-shared'],
  ['src-renderer/main.ts', '#engine/door/ok.js', 'arrows-of-the-composition-root'],
  ['src-main/service/b.ts', 'electron', 'one-room-for-electron'],
  ['src-main/engine/runtime/b.ts', 'onnxruntime-node', 'one-room-for-onnxruntime-node'],
  ['src-main/engine/door/b.ts', 'onnxruntime-node', 'one-room-for-onnxruntime-node'],
  ['src-main/jobs/a.ts', 'bullmq', 'one-room-for-bullmq-ioredis'],
  ['src-renderer/canvas/b.ts', 'svelte', 'one-room-for-svelte'],
  ['src-main/jobs/b.ts', './c.js', 'no-cycles'],
  ['src-main/engine/homeless.ts', '#base/ok.js', 'no-homeless-code'],
  ['src-main/cli/b.ts', '../attic/ok.js', 'no-homeless-code'],
  ['src-main/cli/c.ts', '#cli/nowhere.js', 'no-unresolved'],
  ['src-main/cli/d.ts', '../../test/ok.js', 'no-tests-in-the-product'],
];

const ALLOWED: readonly (readonly [string, string])[] = [
  ['src-main/engine/networks/y.ts', '#engine/graph/ok.js'],
  ['src-main/engine/networks/z.ts', './ok.js'],
  ['src-main/engine/runtime/onnx-runtime.ts', 'onnxruntime-node'],
  ['src-main/service/y.ts', '#jobs/ok.js'],
  ['src-renderer/ui/masks/y.ts', '#state/ok.js'],
  ['src-renderer/ui/views/y.ts', '#ui/masks/ok.js'],
];

const ROOMS_WITH_A_TARGET = [
  ...['base', 'contract', 'service', 'jobs', 'server', 'attic'].map((room) => `src-main/${room}`),
  ...['tensor', 'weights', 'graph', 'networks', 'runtime', 'pipelines', 'door'].map((room) => `src-main/engine/${room}`),
  ...['canvas', 'state', 'link', 'ui/scales', 'ui/masks'].map((room) => `src-renderer/${room}`),
  'test',
];

describe('the plan of the house', () => {
  let folder: string;
  let report: ICruiseResult;

  function put(file: string, text: string): void {
    const target = path.join(folder, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  }

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'house-'));
    const { imports } = JSON.parse(readFileSync('package.json', 'utf8')) as { imports: unknown };
    put('package.json', JSON.stringify({ name: 'house', type: 'module', imports }));
    for (const room of ROOMS_WITH_A_TARGET) put(`${room}/ok.ts`, 'export const ok = 1;\n');
    for (const library of ['electron', 'onnxruntime-node', 'bullmq', 'svelte']) {
      put(`node_modules/${library}/package.json`, JSON.stringify({ name: library, main: 'index.js' }));
      put(`node_modules/${library}/index.js`, 'exports.ok = 1;\n');
    }
    for (const [file, imported] of [...REFUSED, ...ALLOWED]) put(file, `import { ok } from '${imported}';\nexport const use = ok;\n`);
    put('src-main/jobs/c.ts', `import { use } from './b.js';\nexport const ok = use;\n`);
    put('src-main/cellar/alone.ts', 'export const alone = 1;\n');
    const { output } = await cruise(
      ['src-main', 'src-renderer'],
      {
        baseDir: folder,
        validate: true,
        ruleSet: { forbidden: plan.forbidden },
        doNotFollow: { path: 'node_modules' },
        tsPreCompilationDeps: true,
      },
      plan.options.enhancedResolveOptions,
    );
    report = output as ICruiseResult;
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function rulesBrokenBy(file: string): string[] {
    return report.summary.violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);
  }

  it.each(REFUSED)('refuses that %s imports %s', (file, _imported, rule) => {
    expect(rulesBrokenBy(file)).toContain(rule);
  });

  it.each(ALLOWED)('allows that %s imports %s', (file) => {
    expect(rulesBrokenBy(file)).toEqual([]);
  });

  it('finds a homeless file that nobody imports', () => {
    expect(rulesBrokenBy('src-main/cellar/alone.ts')).toEqual(['no-homeless-code']);
  });
});

describe('the fence around a component', () => {
  const eslint = new ESLint();
  const RULE = '@typescript-eslint/no-restricted-imports';

  async function isRefused(file: string, imported: string): Promise<boolean> {
    const config = (await eslint.calculateConfigForFile(file)) as { rules: Record<string, [number, { patterns: { regex: string }[] }]> };
    const patterns = config.rules[RULE]?.[1].patterns ?? [];
    return patterns.some(({ regex }) => new RegExp(regex, 'u').test(imported));
  }

  it.each([
    ['src-renderer/ui/masks/MaskTools.svelte', '#engine/door/engine.js'],
    ['src-renderer/ui/masks/MaskTools.svelte', '#ui/scales/ScaleStrip.svelte'],
    ['src-renderer/ui/masks/MaskTools.svelte', '../scales/ScaleStrip.svelte'],
    ['src-renderer/ui/masks/MaskTools.svelte', '#link/http.js'],
    ['src-renderer/ui/shared/Button.svelte', '#contract/request.js'],
    ['src-renderer/ui/views/Studio.svelte', 'node:fs'],
    ['src-renderer/state/studio.svelte.ts', '#service/service.js'],
    ['src-renderer/main.ts', '#server/server.js'],
  ])('%s may not name %s, not even for its types', async (file, imported) => {
    expect(await isRefused(file, imported)).toBe(true);
  });

  it.each([
    ['src-renderer/ui/masks/MaskTools.svelte', '#state/brush.svelte.js'],
    ['src-renderer/ui/masks/MaskTools.svelte', '#ui/messages/messages.js'],
    ['src-renderer/ui/views/Studio.svelte', '#ui/masks/MaskTools.svelte'],
    ['src-renderer/state/studio.svelte.ts', '#link/http.js'],
    ['src-renderer/main.ts', '#ui/views/Studio.svelte'],
  ])('%s may name %s', async (file, imported) => {
    expect(await isRefused(file, imported)).toBe(false);
  });
});
