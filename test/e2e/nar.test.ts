import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maskPng, renderScene } from '../support/pictures.js';
import { openCommandLine } from './support/cli.js';
import { differingPixels, rawPicture } from './support/honesty.js';

/** Published layout, small sizes: what test/golden/reference wrote. */
const [NAR, LLAMAGEN, TEXT] = ['nar-mini', 'controlar-mini', 't5-mini'].map((name) => path.resolve('test/golden', name)) as [
  string,
  string,
  string,
];
const transformer = path.join(NAR, 't2i_tiny.pt');
const others = [path.join(LLAMAGEN, 'vq_mini.pt'), path.join(TEXT, 't5.pth'), path.join(TEXT, 'tokenizer.json')];

let folder: string;
const file = (name: string) => path.join(folder, name);
const home = process.env['SCALEBRUSH_HOME'];
const cli = openCommandLine();

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-nar-'));
  process.env['SCALEBRUSH_HOME'] = file('home');
  await sharp(renderScene(96, 64), { raw: { width: 96, height: 64, channels: 3 } })
    .png()
    .toFile(file('scene.png'));
  await writeFile(file('mask.png'), await maskPng({ width: 96, height: 64 }, { x: 30, y: 20, width: 30, height: 24 }));
  await cli.json('packs', 'import', transformer, ...others, '--name', 'mini', '--pixels', '256');
}, 60_000);

afterAll(async () => {
  if (home === undefined) delete process.env['SCALEBRUSH_HOME'];
  else process.env['SCALEBRUSH_HOME'] = home;
  await cli.close();
  await rm(folder, { recursive: true });
});

describe('published NAR files', () => {
  test('are told, and become a pack that is listed and whole', async () => {
    expect(await cli.json('inspect', transformer)).toMatchObject({ model: { family: 'nar', depth: 3, entries: 48 } });
    expect(await cli.json('packs', 'list')).toMatchObject({
      packs: [{ name: 'sketch' }, { name: 'studio' }, { title: 'NAR, 2 layers, 256 px' }],
    });
    expect(await cli.json('packs', 'verify', 'mini')).toMatchObject({ ok: true });
  });

  test('draw from words in 31 diagonals, and the same picture from their tokens', async () => {
    const args = ['generate', '--pack', 'mini', '-i', 'a red car', '--seed', '3', '--previews', file('previews')];
    const report = await cli.json(...args, '--tokens-out', file('t.json'), '-o', file('drawn.png'));
    expect((report['tokens'] as { tokens: readonly (readonly number[])[] }).tokens.map(({ length }) => length).slice(0, 3)).toEqual([
      1, 2, 3,
    ]);
    await cli.json('decode', file('t.json'), '-o', file('decoded.png'));
    expect((await rawPicture(file('decoded.png'))).samples).toEqual((await rawPicture(file('drawn.png'))).samples);
  });

  test.each([
    { side: 'right', kept: (x: number) => x < 96, first: 1 },
    { side: 'left', kept: (x: number) => x >= 48, first: 1 },
    { side: 'top', kept: (_: number, y: number) => y >= 48, first: 1 },
  ])('grow a picture to the $side; its pixels stay, and its tokens decode to what was drawn', async ({ side, kept }) => {
    const output = file(`${side}.png`);
    const report = await cli.json(
      ...['expand', file('scene.png'), '--pack', 'mini', `--${side}`, '48', '-i', 'a hill', '--detail', 'off'],
      ...['--whole', '--tokens-out', file(`${side}.json`), '-o', output],
    );
    const tokens = report['tokens'] as { schedule: readonly (readonly number[])[] };
    const [source, result] = [await rawPicture(file('scene.png')), await rawPicture(output)];
    const [dx, dy] = [side === 'left' ? 48 : 0, side === 'top' ? 48 : 0];
    let differing = 0;
    for (let y = 0; y < result.height; y++) {
      for (let x = 0; x < result.width; x++) {
        if (!kept(x, y)) continue;
        const [from, to] = [((y - dy) * source.width + x - dx) * 3, (y * result.width + x) * 3];
        for (let c = 0; c < 3; c++) if (source.samples[from + c] !== result.samples[to + c]) differing += 1;
      }
    }
    expect(differing).toBe(0);
    // The corner that diagonals begin in is where the picture is.
    expect(tokens.schedule[1]).toEqual(side === 'left' ? [2, 1] : [1, 2]);
    expect(tokens.schedule.at(-2)).toEqual(side === 'top' ? [2, 1] : [1, 2]);
    await cli.json('decode', file(`${side}.json`), '-o', file('again.png'));
    expect((await rawPicture(file('again.png'))).width).toBe(32);
  });

  test('fill only inside a mask', async () => {
    await cli.json('fill', file('scene.png'), '--pack', 'mini', '-m', file('mask.png'), '--blend', '0', '-o', file('fill.png'));
    const [source, result] = [await rawPicture(file('scene.png')), await rawPicture(file('fill.png'))];
    const inMask = (x: number, y: number) => x >= 30 && x < 60 && y >= 20 && y < 44;
    expect(differingPixels(source, result, inMask)).toBe(0);
    expect(differingPixels(source, result, (x, y) => !inMask(x, y))).toBeGreaterThan(0);
  });

  test.each([
    ['an edit without a mask', ['edit', 'scene.png', '--pack', 'mini', '-i', 'a car', '-o', 'no.png'], /Expected a mask/],
    ['an import without its text encoder', ['packs', 'import', transformer, ...others.slice(0, 1), '--name', 'none'], /T5 encoder/],
    ['a size that was not published', ['packs', 'import', transformer, ...others, '--name', 'none', '--pixels', '1024'], /256 or 512/],
  ])('refuse %s', async (_, args, reason) => {
    const { code, stderr } = await cli.run(...args.map((arg) => (/^\w+\.png$/u.test(arg) ? file(arg) : arg)));
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
