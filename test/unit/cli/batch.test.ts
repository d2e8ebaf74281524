import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '#cli/run.js';
import type { BatchReport } from '#contract/batch.js';
import { grayPng, threeScales, type Lessons } from '../../support/fake-engine.js';
import { openTestService, type TestService } from '../../support/service.js';

let opened: TestService;
let stop: AbortController;
const at = (...names: string[]): string => join(opened.root, ...names);
const COST = { ms: 1500, bytes: 1, layers: 1 };

const LESSONS: Lessons = {
  forecast: () => Promise.resolve({ best: COST, balanced: COST, fast: COST, draft: COST, availableBytes: 1e9 }),
  checkInstruction: (_, instruction) => {
    const unknownWords = instruction === 'xyzzy' ? [{ word: 'xyzzy', suggestions: [] }] : [];
    return Promise.resolve({ unknownWords, understands: [], known: unknownWords.length === 0, cut: false });
  },
};

async function teach(lessons: Lessons): Promise<void> {
  opened = await openTestService({ ...LESSONS, ...lessons });
  await mkdir(at('in'));
  await writeFile(at('in', 'a.png'), grayPng(20, 30));
  await writeFile(at('in', 'b.png'), 'no picture');
  await writeFile(at('in', 'c.png'), grayPng(30, 20));
  await writeFile(at('in', 'notes.txt'), 'not looked at');
}

beforeEach(async () => {
  stop = new AbortController();
  await teach({});
});

afterEach(() => opened.close());

async function batch(...more: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runCli(['batch', at('in'), '-i', 'make it red', '-o', at('out'), ...more], {
    version: '1.2.3',
    openService: () => Promise.resolve({ ...opened.service, close: () => Promise.resolve() }),
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
    signal: stop.signal,
  });
  return { code, stdout, stderr };
}

const results = async () => (await readdir(at('out'))).filter((name) => !name.startsWith('.'));
const statesOf = (stdout: string) => (JSON.parse(stdout) as BatchReport).entries.map(({ state }) => state);

describe('a batch from the command line', () => {
  it('does each picture or refuses it with one line, and reports', async () => {
    const { code, stdout, stderr } = await batch('--json', '--report', at('report.json'));
    expect(code).toBe(2);
    expect(await results()).toEqual(['a.png', 'c.png']);
    expect(statesOf(stdout)).toEqual(['done', 'refused', 'done']);
    expect(JSON.parse(await readFile(at('report.json'), 'utf8'))).toEqual(JSON.parse(stdout));
    expect(stderr.match(/refused: .*/gu)).toEqual(['refused: Expected a picture but received something else.']);
    expect(stderr).not.toContain('scale 1 of');
  });

  it('gives the single command’s bytes', async () => {
    await batch('--seed', '9');
    const single = at('single.png');
    await runCli(['edit', at('in', 'c.png'), '-i', 'make it red', '--seed', '9', '-o', single], {
      version: '1',
      openService: () => Promise.resolve({ ...opened.service, close: () => Promise.resolve() }),
      stdout: () => undefined,
      stderr: () => undefined,
      signal: stop.signal,
    });
    expect(await readFile(at('out', 'c.png'))).toEqual(await readFile(single));
  });

  it('cuts each picture before it is edited, and says how the results are written', async () => {
    await opened.close();
    const framed: unknown[] = [];
    await teach({
      frame: (_, framing) => {
        framed.push(framing);
        return Promise.resolve(grayPng(16, 16));
      },
    });
    const { code } = await batch('--crop', '16x16+2+4', '--resize', '500', '--sharpen', 'screen', '--quality', '80');
    expect(code).toBe(2);
    expect(framed).toEqual([1, 2].map(() => ({ mirrored: false, turns: 0, straighten: 0, crop: { x: 2, y: 4, width: 16, height: 16 } })));
    expect(opened.engine.jobs.map(({ request: { output } }) => [output.adapt, output.quality, output.framings?.length])).toEqual([
      [{ longSide: 500, sharpen: 'screen' }, 80, 1],
      [{ longSide: 500, sharpen: 'screen' }, 80, 1],
    ]);
  });

  it('draws one seed for all pictures where −1 asks for one, and says which', async () => {
    const { stderr } = await batch('--seed', '-1');
    const said = Number(/^seed: (\d+)$/mu.exec(stderr)?.[1]);
    expect(opened.engine.jobs.map(({ request }) => request.seed)).toEqual([said, said]);
  });

  it.each([
    ['4294967296', 'Expected a whole number from 0 to 4294967295 for seed (seed: received 4294967296).'],
    ['-2', 'Expected a whole number from 0 to 4294967295 for seed (seed: received -2).'],
    ['1.5', 'Expected a whole number from 0 to 4294967295 for seed (seed: received 1.5).'],
    ['0x10', 'Expected a number for --seed but received "0x10".'],
  ])('refuses the seed %s in one line, before a picture is opened', async (seed, line) => {
    const { code, stderr } = await batch('--seed', seed);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(line);
    expect(opened.engine.jobs).toEqual([]);
  });

  it('says what would happen and touches nothing', async () => {
    const { code, stdout, stderr } = await batch('--dry-run', '--json');
    expect(code).toBe(2);
    expect(statesOf(stdout)).toEqual(['waiting', 'refused', 'waiting']);
    expect(stderr).toContain('a.png, about 1.5 s');
    expect(opened.engine.jobs).toEqual([]);
    await expect(readdir(at('out'))).rejects.toThrow();
  });

  it('tells beforehand that the memory does not suffice, and what would fit', async () => {
    const heavy = { ...COST, bytes: 2 ** 30 };
    await opened.close();
    await teach({ forecast: () => Promise.resolve({ best: heavy, balanced: heavy, fast: COST, draft: COST, availableBytes: 2 ** 29 }) });
    const { code, stderr } = await batch('--dry-run');
    expect(code).toBe(2);
    expect(stderr).toContain('a.png refused: This needs 1024 MB of memory but there are only 512 MB for it; try the preset "fast".');
  });

  it('overwrites nothing unless it is told to', async () => {
    await mkdir(at('out'));
    await writeFile(at('out', 'a.png'), 'mine');
    const { stdout } = await batch('--json');
    expect(statesOf(stdout)).toEqual(['refused', 'refused', 'done']);
    expect(await readFile(at('out', 'a.png'), 'utf8')).toBe('mine');
    await batch('--overwrite');
    expect(await readFile(at('out', 'a.png'), 'utf8')).not.toBe('mine');
  });

  it('does not go on where an interrupt came, and resumes with what is missing', async () => {
    await opened.close();
    let runs = 0;
    await teach({
      run: async function* (job, signal) {
        runs += 1;
        if (runs === 2) stop.abort();
        yield* threeScales(job, signal);
      },
    });
    expect((await batch()).code).toBe(130);
    expect(await results()).toEqual(['a.png']);
    // As a kill between the picture and the note of it leaves them.
    await writeFile(at('out', 'c.png'), 'half');
    stop = new AbortController();
    const { stdout } = await batch('--resume', '--json');
    expect(statesOf(stdout)).toEqual(['kept', 'refused', 'done']);
    expect(await results()).toEqual(['a.png', 'c.png']);
    expect(runs).toBe(3);
  });

  it.each([
    ['resumes nothing where nothing is', ['--resume'], /found no batch/u],
    ['knows its words before the first picture', ['-i', 'xyzzy'], /xyzzy/u],
    ['refuses an unknown format', ['--format', 'gif'], /--format/u],
    ['refuses a count beyond the contract', ['-n', '99'], /count/u],
    ['has no single place for tokens', ['--tokens-out', 'x'], /tokens-out/u],
  ])('%s', async (_, more, reason) => {
    const { code, stderr } = await batch(...more);
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(opened.engine.jobs).toEqual([]);
  });

  it('does not resume with other options', async () => {
    await batch('--seed', '1');
    const { code, stderr } = await batch('--seed', '2', '--resume');
    expect([code, stderr]).toEqual([2, expect.stringContaining('found a batch with others')]);
  });
});
