import { copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
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
const mini = (name: string) => path.resolve('test/golden/switti-mini', name);
const [transformer, clipL, clipG, words] = [mini('model.safetensors'), mini('clip-l.bin'), mini('clip-g.bin'), mini('tokenizer.json')];
const tokenizer = path.resolve('test/golden/var-mini/vae_ch32v64z8.pth');
const foreign = path.resolve('test/golden/flexvar-mini/FlexVAE.pth');

let folder: string;
const file = (name: string) => path.join(folder, name);
const home = process.env['SCALEBRUSH_HOME'];
const cli = openCommandLine();
const DRAW = ['generate', '--pack', 'mini', '-i', 'a red car in the snow'];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-switti-'));
  process.env['SCALEBRUSH_HOME'] = file('home');
  await sharp(renderScene(96, 64), { raw: { width: 96, height: 64, channels: 3 } })
    .png()
    .toFile(file('scene.png'));
  await writeFile(file('mask.png'), await maskPng({ width: 96, height: 64 }, { x: 30, y: 20, width: 30, height: 24 }));
  await cli.json('packs', 'import', transformer, tokenizer, clipL, clipG, words, '--name', 'mini');
}, 60_000);

afterAll(async () => {
  if (home === undefined) delete process.env['SCALEBRUSH_HOME'];
  else process.env['SCALEBRUSH_HOME'] = home;
  await cli.close();
  await rm(folder, { recursive: true });
});

type Tokens = readonly (readonly number[])[];
const tokensOf = (report: Record<string, unknown>) => (report['tokens'] as { tokens: Tokens }).tokens;

describe('published Switti files', () => {
  test('are told, and become a pack that is whole and reads words', async () => {
    expect(await cli.json('inspect', transformer)).toMatchObject({ model: { family: 'switti' } });
    expect(await cli.json('inspect', clipG)).toMatchObject({ model: { family: 'clip-text-encoder' } });
    expect(await cli.json('packs', 'info', 'mini')).toMatchObject({
      family: 'switti',
      card: { traits: { fills: true, seesSource: false } },
    });
    expect(await cli.json('packs', 'verify', 'mini')).toMatchObject({ ok: true });
  });

  test('draw other tokens for other words, and the same picture from the same tokens', async () => {
    const report = await cli.json(...DRAW, '--tokens-out', file('t.json'), '-o', file('drawn.png'));
    const other = await cli.json('generate', '--pack', 'mini', '-i', 'green trees', '-o', file('other.png'));
    expect(tokensOf(other)).not.toEqual(tokensOf(report));
    await cli.json('decode', file('t.json'), '-o', file('decoded.png'));
    expect((await rawPicture(file('decoded.png'))).samples).toEqual((await rawPicture(file('drawn.png'))).samples);
  });

  test('draw the same again with the same seed, and another picture with another', async () => {
    const draw = async (seed: string) => tokensOf(await cli.json(...DRAW, '--seed', seed, '-o', file('seed.png')));
    expect(await draw('5')).toEqual(await draw('5'));
    expect(await draw('6')).not.toEqual(await draw('5'));
  });

  test.each([
    ['fill', []],
    ['edit', ['-i', 'a red car']],
  ])('%s only inside a mask', async (task, wish) => {
    const output = file(`${task}.png`);
    await cli.json(task, file('scene.png'), '--pack', 'mini', '-m', file('mask.png'), '--blend', '0', ...wish, '-o', output);
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

describe('other files beside a Switti transformer', () => {
  /** The transformer without some tensors. */
  async function without(name: string, ...parts: readonly string[]): Promise<string> {
    const checkpoint = await openCheckpoint(transformer);
    const only = [...new Set([...checkpoint.tensors.keys()].map((tensor) => tensor.split('.', 1)[0] ?? ''))].filter((part) => !parts.includes(part)); // prettier-ignore
    const writing = writeWeights(checkpoint, { target: file(name), precision: 'float32', only });
    for (let step = await writing.next(); !step.done; step = await writing.next());
    return file(name);
  }
  const texts = [clipL, clipG, words];

  test.each([
    ['one text encoder of two', () => Promise.resolve([transformer, tokenizer, clipG, words]), /1 text encoders/],
    ['no tokenizer.json', () => Promise.resolve([transformer, tokenizer, clipL, clipG]), /no tokenizer\.json/],
    ['another family’s tokenizer', () => Promise.resolve([transformer, foreign, ...texts]), /Expected a Switti transformer, its tokenizer/],
    ['no frequencies of the crop', async () => [await without('cropless.safetensors', 'crop_embed'), tokenizer, ...texts], /crop_embed/],
    ['a file that ends too early', async () => {
      await copyFile(transformer, file('cut.safetensors'));
      await truncate(file('cut.safetensors'), 90_000);
      return [file('cut.safetensors'), tokenizer, ...texts];
    }, /cut\.safetensors/],
  ])('are refused in one line: %s', async (_, files, reason) => {
    const { code, stderr } = await cli.run('packs', 'import', ...(await files()), '--name', 'bad');
    expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringMatching(reason)]]);
  }); // prettier-ignore
});
