import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { maskPng, renderScene } from '../support/pictures.js';
import { openCommandLine } from './support/cli.js';
import { differingPixels, rawPicture } from './support/honesty.js';

/** Published layout, small sizes: what test/golden/reference wrote. */
const transformer = path.resolve('test/golden/hmar-mini/hmar-d3.pth');
const tokenizer = path.resolve('test/golden/var-mini/vae_ch32v64z8.pth');
const foreign = path.resolve('test/golden/flexvar-mini/FlexVAE.pth');

let folder: string;
const file = (name: string) => path.join(folder, name);
const home = process.env['SCALEBRUSH_HOME'];
const cli = openCommandLine();
const DRAW = ['generate', '--pack', 'mini', '--class', 'class 7'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-hmar-'));
  process.env['SCALEBRUSH_HOME'] = file('home');
  await sharp(renderScene(96, 64), { raw: { width: 96, height: 64, channels: 3 } })
    .png()
    .toFile(file('scene.png'));
  await writeFile(file('mask.png'), await maskPng({ width: 96, height: 64 }, { x: 30, y: 20, width: 30, height: 24 }));
  await cli.json('packs', 'import', transformer, tokenizer, '--name', 'mini');
}, 60_000);

afterAll(async () => {
  if (home === undefined) delete process.env['SCALEBRUSH_HOME'];
  else process.env['SCALEBRUSH_HOME'] = home;
  await cli.close();
  await rm(folder, { recursive: true });
});

type Tokens = readonly (readonly number[])[];
const tokensOf = (report: Record<string, unknown>) => (report['tokens'] as { tokens: Tokens }).tokens;

describe('published HMAR files', () => {
  test('are told, and become a pack that is whole and says what it must not be used for', async () => {
    expect(await cli.json('inspect', transformer)).toMatchObject({ model: { family: 'hmar', depth: 3, tail: 1, entries: 64 } });
    expect(await cli.json('packs', 'info', 'mini')).toMatchObject({
      ...{ title: 'HMAR-d3', family: 'hmar', familyTitle: 'HMAR' },
      licence: 'NVIDIA: research and education only, not for commercial use',
      card: { defaults: { guidance: 2.7, topK: 1000, topP: 0.99 }, limits: expect.arrayContaining([expect.stringMatching(/commercial/)]) as unknown },
    }); // prettier-ignore
    expect(await cli.json('packs', 'verify', 'mini')).toMatchObject({ ok: true });
    const { stdout } = await cli.run('packs', 'known');
    expect(stdout.match(/hmar-d\d+\tHMAR-d\d+, 256 px, not for commercial use/gu)).toHaveLength(4);
  });

  test('draw the reference’s tokens, masked passes and all, and the same picture from them', async () => {
    const report = await cli.json(...DRAW, '--argmax', '--guidance', '2.5', '--top-k', '0', '--top-p', '1', '--tokens-out', file('t.json'), '-o', file('drawn.png')); // prettier-ignore
    const expected = (await import('../golden/hmar-mini/fx/generate.json', { with: { type: 'json' } })).default;
    expect(tokensOf(report)).toEqual(expected.tokens);
    await cli.json('decode', file('t.json'), '-o', file('decoded.png'));
    expect((await rawPicture(file('decoded.png'))).samples).toEqual((await rawPicture(file('drawn.png'))).samples);
  });

  test('draw the same again with the same seed, begun with its first scales or not', async () => {
    const draw = async (...args: string[]) => tokensOf(await cli.json(...DRAW, '--seed', '5', ...args, '-o', file('seed.png')));
    const whole = await draw();
    expect(await draw()).toEqual(whole);
    await draw('--tokens-out', file('all.json'));
    const all = JSON.parse(await readFile(file('all.json'), 'utf8')) as { tokens: Tokens };
    await writeFile(file('two.json'), JSON.stringify({ ...all, tokens: all.tokens.slice(0, 2) }));
    expect(await draw('--force-tokens', file('two.json'))).toEqual(whole);
  });

  test('draw the least certain tokens of a scale again, by a masked pass, and what is finer after them', async () => {
    const draw = async (...args: string[]) => tokensOf(await cli.json(...DRAW, '--seed', '5', ...args, '-o', file('again.png')));
    const whole = await draw('--tokens-out', file('whole.json'));
    const anew = await draw('--redraw', '3:0.5', '--redraw-seed', '9');
    // Of the picture's own tokens, whichever are given, it is the same.
    expect(await draw('--redraw', '3:0.5', '--redraw-seed', '9', '--force-tokens', file('whole.json'))).toEqual(anew);
    expect(anew.slice(0, 2)).toEqual(whole.slice(0, 2));
    const changed = anew[2]!.filter((token, place) => token !== whole[2]![place]).length;
    expect(changed).toBeGreaterThan(0);
    expect(changed).toBeLessThanOrEqual(Math.round(whole[2]!.length * 0.5));
    expect(anew[3]).not.toEqual(whole[3]);
    expect(await draw('--redraw', '3:0.5', '--redraw-seed', '10')).not.toEqual(anew);
    const { code, stderr } = await cli.run(...DRAW, '--redraw', '8:0.5', '-o', file('none.png'));
    expect([code, stderr]).toEqual([2, expect.stringMatching(/Expected a scale from 1 to \d+ to redraw but received 8\./u)]);
  });

  test.each([
    ['fill', []],
    ['edit', ['-i', 'class 3']],
  ])('%s only inside a mask', async (task, words) => {
    const output = file(`${task}.png`);
    await cli.json(task, file('scene.png'), '--pack', 'mini', '-m', file('mask.png'), '--blend', '0', ...words, '-o', output);
    const [source, result] = [await rawPicture(file('scene.png')), await rawPicture(output)];
    const inMask = (x: number, y: number) => x >= 30 && x < 60 && y >= 20 && y < 44;
    expect(differingPixels(source, result, inMask)).toBe(0);
    expect(differingPixels(source, result, (x, y) => !inMask(x, y))).toBeGreaterThan(0);
  });

  test('expand a picture', async () => {
    await cli.json('expand', file('scene.png'), '--pack', 'mini', '--right', '32', '-o', file('wide.png'));
    expect(await rawPicture(file('wide.png'))).toMatchObject({ width: 128, height: 64 });
  });
});

describe('other files beside an HMAR transformer', () => {
  /** The transformer without some tensors. */
  async function without(name: string, ...parts: readonly string[]): Promise<string> {
    const checkpoint = await openCheckpoint(transformer);
    const only = [...new Set([...checkpoint.tensors.keys()].map((tensor) => tensor.split('.', 1)[0] ?? ''))].filter((part) => !parts.includes(part)); // prettier-ignore
    const writing = writeWeights(checkpoint, { target: file(name), precision: 'float32', only });
    for (let step = await writing.next(); !step.done; step = await writing.next());
    return file(name);
  }

  test.each([
    ['another family’s tokenizer', () => Promise.resolve([transformer, foreign]), /Expected an HMAR transformer and the tokenizer of VAR/],
    ['no tokenizer', () => Promise.resolve([transformer]), /Expected an HMAR transformer and the tokenizer of VAR/],
    ['no second head', async () => [await without('headless.safetensors', 'mask_head'), tokenizer], /mask_head/],
    ['a file that ends too early', async () => {
      await copyFile(transformer, file('cut.pth'));
      await truncate(file('cut.pth'), 90_000);
      return [file('cut.pth'), tokenizer];
    }, /cut\.pth/],
  ])('are refused in one line: %s', async (_, files, reason) => {
    const { code, stderr } = await cli.run('packs', 'import', ...(await files()), '--name', 'bad');
    expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringMatching(reason)]]);
  }); // prettier-ignore
});
