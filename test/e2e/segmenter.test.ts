import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyDecoder, tinyEncoder } from '../support/tiny-segmenter.js';
import { scalebrush, scalebrushJson } from './support/cli.js';
import { rawPicture } from './support/honesty.js';

const home = process.env['SCALEBRUSH_HOME'];
let folder: string;
const file = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-segmenter-'));
  process.env['SCALEBRUSH_HOME'] = file('home');
  await writeFile(file('encoder.onnx'), tinyEncoder());
  await writeFile(file('decoder.onnx'), tinyDecoder());
  const red = { create: { width: 40, height: 20, channels: 3, background: '#d02010' } } as const;
  await sharp({ create: { width: 128, height: 128, channels: 3, background: '#208030' } })
    .composite([{ input: await sharp(red).png().toBuffer(), left: 60, top: 30 }])
    .png()
    .toFile(file('scene.png'));
});

afterAll(async () => {
  if (home === undefined) delete process.env['SCALEBRUSH_HOME'];
  else process.env['SCALEBRUSH_HOME'] = home;
  await rm(folder, { recursive: true });
});

test.each([
  ['an encoder without its decoder', ['encoder.onnx']],
  ['a decoder without its encoder', ['decoder.onnx']],
  ['two encoders', ['encoder.onnx', 'encoder.onnx']],
])('%s is refused in one line', async (_, names) => {
  const { code, stderr } = await scalebrush('packs', 'import', ...names.map(file), '--name', 'half');
  expect([code, stderr.trim().split('\n')]).toEqual([2, [expect.stringMatching(/encoder|decoder/u)]]);
});

test('both halves of a segmentation model become a pack that selects objects', async () => {
  await scalebrushJson('packs', 'import', file('encoder.onnx'), file('decoder.onnx'), '--name', 'segmenter');
  expect(await scalebrushJson('packs', 'info', 'segmenter')).toMatchObject({ family: 'segmentation' });
  expect(await scalebrushJson('packs', 'verify', 'segmenter')).toMatchObject({ ok: true });
  expect((await scalebrush('select', file('scene.png'), '--at', '80,40', '-o', file('mask.png'))).code).toBe(0);
  const { samples, width } = await rawPicture(file('mask.png'));
  const channels = samples.length / (width * width);
  const at = (x: number, y: number) => samples[(y * width + x) * channels];
  expect([at(80, 40), at(65, 35), at(95, 45)]).toEqual([255, 255, 255]);
  expect([at(50, 40), at(80, 60), at(10, 120)]).toEqual([0, 0, 0]);
});
