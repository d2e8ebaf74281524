import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { safetensors } from '../unit/engine/weights/support/safetensors-writer.js';

let copy: string;
const at = (...names: string[]) => path.join(copy, ...names);

/** A copy of the program beside node_modules, with one folder more and one line more in the list. */
beforeAll(async () => {
  await mkdir('dist', { recursive: true });
  copy = await mkdtemp(path.resolve('dist', 'toy-'));
  for (const name of ['src-main', 'src-kernels', 'scripts', 'package.json', 'vite.main.config.ts'])
    await cp(name, at(name), { recursive: true });
  const toy = at('src-main/engine/families/toy');
  await cp('test/e2e/support/toy', toy, { recursive: true });
  for (const name of ['fake-model.ts', 'fake-predictor.ts', 'tiny-card.ts'])
    await cp(path.join('test/support', name), path.join(toy, name));
  const opening = path.join(toy, 'open.ts');
  await writeFile(opening, (await readFile(opening, 'utf8')).replace('../../../support/', './'));
  const list = at('src-main/engine/families/list.ts');
  const before = await readFile(list, 'utf8');
  const named = before.replace(/^import \{ varFamily \}/mu, "import { toyFamily } from './toy/family.js';\n$&");
  const listed = named.replace(/^ {2}var: varFamily,$/mu, '$&\n  toy: toyFamily,');
  expect(listed.split('\n')).toHaveLength(before.split('\n').length + 2);
  await writeFile(list, listed);
  // The bench is no part of the program.
  const config = await readFile(at('vite.main.config.ts'), 'utf8');
  await writeFile(at('vite.main.config.ts'), config.replace(/^ +bench: .*$/mu, ''));
  await promisify(execFile)('npx', ['vite', 'build', '--config', 'vite.main.config.ts', '--logLevel', 'error'], { cwd: copy });
}, 120_000);

afterAll(() => rm(copy, { recursive: true, force: true }));

async function scalebrush(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, SCALEBRUSH_HOME: at('home') };
  return (await promisify(execFile)(process.execPath, [at('dist/main/cli.js'), ...args], { env })).stdout;
}

function weightsOf(name: string): Buffer {
  return safetensors(JSON.stringify({ [name]: { dtype: 'F32', shape: [16], data_offsets: [0, 64] } }), 64);
}

test('a family in a folder of its own is recognised, imported, described and draws; nothing else was touched', async () => {
  await writeFile(at('heart.safetensors'), weightsOf('toy.heart'));
  await writeFile(at('brush.safetensors'), weightsOf('toy.brush'));
  expect(await scalebrush('inspect', at('heart.safetensors'))).toContain('toy');
  await scalebrush('packs', 'import', at('heart.safetensors'), at('brush.safetensors'), '--name', 'teddy');
  expect(await scalebrush('packs', 'list')).toContain('teddy');
  await scalebrush('generate', '-i', 'a toy', '--pack', 'teddy', '-o', at('toy.png'));
  expect(await sharp(at('toy.png')).metadata()).toMatchObject({ width: 32, height: 32, format: 'png' });
  // It only draws, and says so as any other.
  const edit = scalebrush('edit', at('toy.png'), '-i', 'a toy', '--pack', 'teddy', '-o', at('edited.png'), '--json');
  await expect(edit).rejects.toMatchObject({ stdout: expect.stringContaining('pack.unable') as unknown });
  // Who has no such folder is told of the card.
  const known = promisify(execFile)(
    process.execPath,
    ['dist/main/cli.js', 'generate', '-i', 'a toy', '--pack', 'teddy', '-o', at('no.png'), '--json'],
    {
      env: { ...process.env, SCALEBRUSH_HOME: at('home') },
    },
  );
  await expect(known).rejects.toMatchObject({ stdout: expect.stringContaining('Expected a family of') as unknown });
});
