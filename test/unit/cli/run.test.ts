import { existsSync } from 'node:fs';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '#cli/run.js';
import type { EngineEvent } from '#engine/door/engine.js';
import { grayPng, threeScales, type Lessons } from '../../support/fake-engine.js';
import { openTestService, type TestService } from '../../support/service.js';

const TOKENS = { pack: 'studio', schedule: [[1, 1]] as [number, number][], tokens: [['0']] };
let opened: TestService;
let photo: string;
let stop: AbortController;

async function teach(lessons: Lessons): Promise<void> {
  await opened.close();
  opened = await openTestService(lessons);
  photo = at('photo.png');
  await writeFile(photo, grayPng(20, 30));
}

beforeEach(async () => {
  stop = new AbortController();
  opened = await openTestService();
  await teach({
    tokenize: () => Promise.resolve(TOKENS),
    decode: () => Promise.resolve(grayPng(16, 16)),
    inspect: (file) =>
      Promise.resolve({
        file,
        files: [file],
        format: 'safetensors',
        sizeBytes: 1,
        parameters: 0,
        model: null,
        reason: 'empty',
        licence: null,
        metadata: {},
        tensors: [],
      }),
    roundingErrors: () => Promise.resolve({ float32: 0, half: 0.001, int8: 0.01, int4: 0.1 }),
    machine: () =>
      Promise.resolve({ processor: 'a machine', threads: 2, memoryBytes: 16e9, freeBytes: 8e9, integers: 'AVX-512 VNNI', gflops: null }),
  });
});

afterEach(() => opened.close());

const at = (name: string): string => join(opened.root, name);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function cli(...args: string[]): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(args, {
    version: '1.2.3',
    // Several command lines share it, and each closes what it opened.
    openService: () => Promise.resolve({ ...opened.service, close: () => Promise.resolve() }),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    signal: stop.signal,
  });
  return { code, stdout, stderr };
}

describe('an edit', () => {
  it('writes the picture and prints exactly one JSON object', async () => {
    const { code, stdout, stderr } = await cli('edit', photo, '-i', 'make it red', '-o', at('out.png'), '--seed', '5', '--json');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toEqual({
      output: at('out.png'),
      width: 20,
      height: 30,
      pack: 'studio',
      preset: 'balanced',
      provider: 'cpu',
      seed: 5,
      timingsMs: { load: 0, text: 0, source: 0, scales: [5, 5, 5], previews: [1, 1, 1], decode: 0, composite: 0, total: 18 },
      estimateMs: 3,
      estimateBytes: 1,
      peakRssBytes: 1,
      changedPixels: 7,
      changedOutsideMask: 0,
      tokens: expect.objectContaining({ pack: 'studio' }) as object,
    });
    expect(stderr).toContain('scale 3 of 3');
    expect(await readFile(at('out.png'))).toEqual(Buffer.from(grayPng(20, 30, 5)));
    expect(await readFile(photo)).toEqual(Buffer.from(grayPng(20, 30)));
  });

  it('says nothing on stdout without --json', async () => {
    expect(await cli('edit', photo, '-i', 'x', '-o', at('out.png'))).toMatchObject({ code: 0, stdout: '' });
  });

  it('carries every option into the request', async () => {
    await writeFile(at('map.png'), grayPng(4, 4));
    await writeFile(at('mask.png'), grayPng(20, 30, 255));
    const options =
      '--pack studio --preset fast --control-kind depth --depth-pack studio --strength 0.5 --scales 2-3 --structure 1 --guidance 2.5 --argmax --seed 7 --whole --provider cpu';
    await cli('edit', photo, '-i', 'x', '-m', at('mask.png'), '--control', at('map.png'), '-o', at('out.webp'), ...options.split(' '));
    expect(opened.engine.jobs[0]?.request).toMatchObject({
      task: 'edit',
      preset: 'fast',
      control: { kind: 'depth', strength: 0.5, fromScale: 2, toScale: 3, estimator: 'studio' },
      structure: 1,
      guidance: 2.5,
      temperature: 0,
      seed: 7,
      whole: true,
      provider: 'cpu',
      previews: false,
      output: { format: 'webp', quality: 92 },
    });
    expect(Object.keys(opened.engine.jobs[0]?.pictures ?? {})).toHaveLength(3);
  });

  it('takes one temperature, or a curve from the first scale to the last', async () => {
    for (const temperature of ['0.7', '1,0.5,0.1', '1,hot'])
      await cli('edit', photo, '-i', 'x', '--temperature', temperature, '-o', at('out.png'));
    expect(opened.engine.jobs.map(({ request }) => request.temperature)).toEqual([0.7, [1, 0.5, 0.1]]);
  });

  it('takes a re-roll as a scale and a share, and a seed of its own beside it only', async () => {
    const redrawn = (...args: string[]) => cli('edit', photo, '-i', 'x', ...args, '-o', at('out.png'));
    await redrawn('--redraw', '3:0.25');
    await redrawn('--redraw', '2:1', '--redraw-seed', '8');
    expect(opened.engine.jobs.map(({ request }) => request.redraw)).toEqual([
      { scale: 3, share: 0.25 },
      { scale: 2, share: 1, seed: 8 },
    ]);
    for (const wrong of [
      ['--redraw', '3'],
      ['--redraw', '3:half'],
      ['--redraw', '3:0'],
      ['--redraw-seed', '8'],
    ]) {
      const { code, stderr } = await redrawn(...wrong);
      expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringContaining('Expected ') as string]]);
    }
    expect(opened.engine.jobs).toHaveLength(2);
  });

  it('writes previews by scale, and several candidates by number', async () => {
    const { code, stdout } = await cli(
      'edit',
      photo,
      '-i',
      'x',
      '-n',
      '2',
      '--previews',
      at('previews'),
      '--tokens-out',
      at('t.json'),
      '-o',
      at('out.png'),
      '--json',
    );
    expect(code).toBe(0);
    expect((await readdir(at('previews'))).sort()).toEqual(['2', 'scale-01.png', 'scale-02.png', 'scale-03.png']);
    expect(await readdir(at('previews/2'))).toHaveLength(3);
    const { output, outputs } = JSON.parse(stdout) as { output: string; outputs: { output: string; seed: number }[] };
    expect(output).toBe(at('out-1.png'));
    expect(outputs.map((each) => [each.output, each.seed])).toEqual([
      [at('out-1.png'), 0],
      [at('out-2.png'), 1],
    ]);
    expect(JSON.parse(await readFile(at('t-2.json'), 'utf8'))).toMatchObject({ pack: 'studio' });
    expect(existsSync(at('out.png'))).toBe(false);
  });

  it('says what came up of every candidate, once', async () => {
    const notice = { code: 'detail.memory' as const, message: 'Memory was short.' };
    const only = { code: 'edit.unchanged' as const, message: 'Nothing was found.' };
    await teach({
      run: async function* (job, signal): AsyncGenerator<EngineEvent, void> {
        for await (const event of threeScales(job, signal)) {
          if (event.type !== 'candidate') yield event;
          else yield { ...event, candidate: { ...event.candidate, notices: event.candidate.index === 1 ? [notice, only] : [notice] } };
        }
      },
    });
    const { stdout } = await cli('edit', photo, '-i', 'x', '-n', '2', '-o', at('out.png'), '--json');
    const { notices, outputs } = JSON.parse(stdout) as Record<'notices' | 'outputs', readonly Record<string, unknown>[]>;
    expect(notices).toEqual([notice, only]);
    expect(outputs.map((each) => each['notices'])).toEqual([[notice], [notice, only]]);
  });

  it('writes logits and predicts along forced tokens', async () => {
    await teach({
      run: async function* (job, signal): AsyncGenerator<EngineEvent, void> {
        if (job.probe?.keepLogits === true) yield { type: 'logits', scale: 0, dims: [1, 1, 2], data: new Float32Array([1, 2]) };
        yield* threeScales(job, signal);
      },
    });
    await writeFile(at('forced.json'), JSON.stringify(TOKENS));
    const { code } = await cli(
      'generate',
      '-i',
      'x',
      '--force-tokens',
      at('forced.json'),
      '--logits-out',
      at('logits'),
      '-o',
      at('out.png'),
    );
    expect(code).toBe(0);
    expect(opened.engine.jobs[0]?.probe).toEqual({ keepLogits: true, forceTokens: TOKENS });
    expect((await readFile(at('logits/scale-01.npy'))).subarray(1, 6).toString()).toBe('NUMPY');
  });
});

describe('the files beside the photograph', () => {
  const NOTICES = [
    { code: 'image.damaged', message: 'Half of it is gone.' },
    { code: 'image.animated', message: 'Only the first page is used.' },
    { code: 'image.smaller-page', message: 'It begins with a smaller copy.' },
    { code: 'image.deep', message: 'It has 16 bits.' },
    { code: 'image.profile', message: 'Its profile does not fit.' },
    { code: 'image.gain-map', message: 'Its gain map is not kept.' },
  ] as const;
  const said = ['Half of it is gone.', 'Only the first page is used.', 'It begins with a smaller copy.'];

  beforeEach(() =>
    teach({
      describe: () =>
        Promise.resolve({ size: { width: 20, height: 30 }, format: 'png', bitDepth: 8, hasAlpha: false, hasProfile: false, hasLocation: false, notices: NOTICES }), // prettier-ignore
    }),
  );

  it('what the file and the run both tell is told once', async () => {
    const described = { size: { width: 20, height: 30 }, format: 'png', bitDepth: 16, hasAlpha: false, hasProfile: false, hasLocation: false } as const; // prettier-ignore
    await teach({
      describe: () => Promise.resolve({ ...described, notices: [NOTICES[3]] }),
      run: async function* (job, signal) {
        for await (const event of threeScales(job, signal)) {
          yield event.type === 'started' ? { ...event, plan: { ...event.plan, notices: [NOTICES[3], NOTICES[4]] } } : event;
        }
      },
    });
    const { stderr } = await cli('edit', photo, '-i', 'make it red', '-o', at('out.png'));
    expect(notesOf(stderr)).toEqual([`note: ${NOTICES[3].message}`, `note: ${NOTICES[4].message}`]);
  });

  const notesOf = (stderr: string) => stderr.split('\n').filter((line) => line.startsWith('note: '));

  it.each([
    ['--mask', ['fill', '-i', 'a bench']],
    ['--no-copy', ['fill', '-i', 'a bench', '--mask', 'MASK']],
    ['--control', ['generate', '--control-kind', 'depth']],
  ])('of %s only what is missing is told, under its name', async (option, [task, ...rest]) => {
    const file = at('beside.png');
    await writeFile(file, grayPng(20, 30));
    await writeFile(at('mask.png'), grayPng(20, 30));
    const args = rest.map((word) => (word === 'MASK' ? at('mask.png') : word));
    const { stderr, code } = await cli(task!, photo, ...args, option, file, '-o', at('out.png'));
    expect([code, stderr]).toEqual([0, stderr]);
    const own = notesOf(stderr).filter((line) => line.startsWith(`note: ${option}: `));
    expect(own).toEqual(said.map((message) => `note: ${option}: ${message}`));
    // All of it is told of the photograph.
    expect(notesOf(stderr)).toEqual(expect.arrayContaining(NOTICES.map(({ message }) => `note: ${message}`)));
  });
});

describe('the other tasks', () => {
  it('expand by the margins', async () => {
    await cli('expand', photo, '--left', '4', '--top', '2', '-o', at('out.png'));
    expect(opened.engine.jobs[0]?.request).toMatchObject({ task: 'expand', margins: { left: 4, right: 0, top: 2, bottom: 0 } });
  });

  it('generate along a picture in its size, or in another', async () => {
    await cli('generate', photo, '--control', 'canny', '-o', at('out.png'));
    await cli('generate', photo, '--control', 'canny', '--size', '64x32', '-o', at('out.png'));
    const wishes = opened.engine.jobs.map(({ request }) => [request.control?.kind, request.size]);
    expect(wishes).toEqual([
      ['canny', { width: 20, height: 30 }],
      ['canny', { width: 64, height: 32 }],
    ]);
  });

  it('make control maps', async () => {
    const { code } = await cli('control', 'canny', photo, '-o', at('map.png'), '--low', '50', '--high', '90', '--invert');
    expect(code).toBe(0);
    expect(opened.engine.jobs[0]?.request).toMatchObject({
      task: 'control',
      control: { kind: 'canny', low: 50, high: 90, invert: true },
      previews: false,
    });
  });

  it('make tokens of pictures and pictures of tokens', async () => {
    expect(JSON.parse((await cli('tokenize', photo, '--tokens-out', at('t.json'), '--json')).stdout)).toEqual({
      output: at('t.json'),
      width: 20,
      height: 30,
      ...TOKENS,
    });
    expect(JSON.parse(await readFile(at('t.json'), 'utf8'))).toEqual(TOKENS);
    const decoded = await cli('decode', at('t.json'), '-o', at('d.png'), '--json');
    expect(JSON.parse(decoded.stdout)).toEqual({ output: at('d.png'), width: 16, height: 16, pack: 'studio' });
    expect(await readFile(at('d.png'))).toEqual(Buffer.from(grayPng(16, 16)));
  });

  it('inspect a file as JSON', async () => {
    expect(JSON.parse((await cli('inspect', photo)).stdout)).toMatchObject({
      file: photo,
      format: 'safetensors',
      rounding: { int8: 0.01 },
      integers: 'AVX-512 VNNI',
    });
  });

  it('list, describe and verify packs', async () => {
    expect(JSON.parse((await cli('packs', 'list', '--json')).stdout)).toMatchObject({ packs: [{ name: 'studio', builtIn: true }] });
    expect((await cli('packs', 'list')).stdout).toMatch(/^studio\t1\.0\.0\tMIT\t/u);
    expect(JSON.parse((await cli('packs', 'info', 'studio')).stdout)).toMatchObject({ card: { format: 1 } });
    expect((await cli('packs', 'verify', 'studio')).stdout).toContain('studio is whole.');
    await writeFile(at('models/studio/weights.safetensors'), 'x');
    expect(await cli('packs', 'verify', 'studio')).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('Expected 41 bytes') as string,
    });
  });
});

describe('a refusal', () => {
  it.each<[string, string[], RegExp]>([
    ['no command', [], /Expected a command \(edit, fill, .*\) but received none/u],
    ['a later command', ['worker'], /Expected a command .* but received "worker"/u],
    ['an unknown option', ['edit', 'IN', '--sped', '1', '-o', 'OUT'], /Unknown option '--sped'/u],
    ['an option of another task', ['edit', 'IN', '--left', '1', '-o', 'OUT'], /Unknown option '--left'/u],
    ['a missing file argument', ['edit', '-i', 'x', '-o', 'OUT'], /Expected IN but received nothing/u],
    ['too many arguments', ['edit', 'IN', 'IN2', '-o', 'OUT'], /Expected nothing after IN but received "IN2"/u],
    ['no -o', ['edit', 'IN', '-i', 'x'], /Expected -o OUT/u],
    ['a bad number', ['edit', 'IN', '-i', 'x', '--seed', 'many', '-o', 'OUT'], /Expected a number for --seed but received "many"/u],
    [
      'a seed that is too large',
      ['edit', 'IN', '-i', 'x', '--seed', '4294967296', '-o', 'OUT'],
      /whole number from 0 to 4294967295 for seed/u,
    ],
    [
      'a seed with a fraction',
      ['edit', 'IN', '-i', 'x', '--seed', '1.5', '-o', 'OUT'],
      /from 0 to 4294967295 for seed \(seed: received 1\.5\)/u,
    ],
    ['a seed below −1', ['edit', 'IN', '-i', 'x', '--seed', '-2', '-o', 'OUT'], /from 0 to 4294967295 for seed \(seed: received -2\)/u],
    ['a number out of range', ['edit', 'IN', '-i', 'x', '--guidance', '31', '-o', 'OUT'], /Expected a number from 0 to 30 for guidance/u],
    ['a bad preset', ['edit', 'IN', '-i', 'x', '--preset', 'slow', '-o', 'OUT'], /Expected best, balanced, fast, draft for --preset/u],
    ['a bad range', ['edit', 'IN', '-i', 'x', '--control', 'canny', '--scales', '5-2', '-o', 'OUT'], /Expected FROM-TO for --scales/u],
    ['a bad size', ['generate', '-i', 'x', '--size', '64', '-o', 'OUT'], /Expected WIDTHxHEIGHT for --size/u],
    ['an unknown format', ['edit', 'IN', '-i', 'x', '-o', 'OUT.bmp'], /Expected \.png, \.jpg/u],
    ['no instruction', ['edit', 'IN', '-o', 'OUT'], /Expected an instruction for edit/u],
    ['no mask', ['fill', 'IN', '-o', 'OUT'], /Expected a mask for fill/u],
    ['an unknown pack', ['edit', 'IN', '-i', 'x', '--pack', 'none', '-o', 'OUT'], /Expected an installed pack/u],
    ['a missing source', ['edit', 'NONE', '-i', 'x', '-o', 'OUT'], /could not be read \(ENOENT\)/u],
    ['a missing folder', ['edit', 'IN', '-i', 'x', '-o', 'NONE/OUT'], /Expected a writable place/u],
    ['the source as result', ['edit', 'IN', '-i', 'x', '-o', 'IN'], /sources are never touched/u],
    ['a source behind a link as result', ['edit', 'IN', '-i', 'x', '-o', 'LINK'], /sources are never touched/u],
    ['tokens that are none', ['decode', 'JSON', '-o', 'OUT'], /Expected JSON/u],
    ['a picture without tokens', ['decode', 'IN', '-o', 'OUT'], /Expected tokens in the recipe of .* but it has none/u],
    ['an unknown kind of map', ['control', 'normal', 'IN', '-o', 'OUT'], /Expected canny, depth for the kind of map/u],
    ['an unknown question about packs', ['packs', 'toString'], /Expected list, info/u],
    ['removal of a built-in pack', ['packs', 'remove', 'studio'], /built in/u],
  ])('of %s is one clear line and exit code 2', async (_what, args, sentence) => {
    await symlink(photo, at('link.png'));
    await writeFile(at('tokens.txt'), '{ not really');
    const names: Readonly<Record<string, string>> = {
      IN: photo,
      OUT: at('out.png'),
      LINK: at('link.png'),
      JSON: at('tokens.txt'),
      NONE: at('none.png'),
      'NONE/OUT': at('none/out.png'),
    };
    const { code, stderr, stdout } = await cli(...args.map((word) => names[word] ?? word));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(sentence);
    expect(await readFile(photo)).toEqual(Buffer.from(grayPng(20, 30)));
    expect(existsSync(at('out.png'))).toBe(false);
  });

  it('with --json is one object on stdout too', async () => {
    const { code, stdout } = await cli('edit', photo, '-o', at('out.png'), '--json');
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'instruction.missing',
        message: 'Expected an instruction for edit but received none.',
        advice: 'Write what should change.',
        details: {},
      },
    });
  });
});

describe('an end before the end', () => {
  it('by interrupt gives exit code 130 and no picture', async () => {
    await teach({
      run: async function* (job, signal) {
        for await (const event of threeScales(job, signal)) {
          if (event.type === 'scale') stop.abort();
          yield event;
        }
      },
    });
    const { code, stdout } = await cli('edit', photo, '-i', 'x', '-o', at('out.png'), '--json');
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'cancelled' } });
    expect(existsSync(at('out.png'))).toBe(false);
  });

  it('by a bug gives exit code 1', async () => {
    await teach({ run: () => failWithBug() });
    const { code, stderr } = await cli('edit', photo, '-i', 'x', '-o', at('out.png'));
    expect(code).toBe(1);
    expect(stderr).toContain('the tensors are of two minds');
  });
});

async function* failWithBug(): AsyncGenerator<EngineEvent, void> {
  yield await Promise.resolve({ type: 'failed', error: { code: 'bug', message: 'the tensors are of two minds', advice: '' } } as const);
}

describe('help', () => {
  it('is printed for the program and for each command', async () => {
    const { stdout } = await cli('--help');
    for (const name of 'edit fill expand generate control tokenize decode inspect packs serve bench'.split(' ')) {
      expect(stdout).toContain(`\n  ${name} `);
      expect(await cli(name, '--help')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^Usage: scalebrush ${name}`, 'u')) as string,
      });
    }
  });

  it('tells the version', async () => {
    expect(await cli('--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
  });
});
