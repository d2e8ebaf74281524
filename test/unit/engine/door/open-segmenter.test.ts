import { describe, expect, it } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { Pointing } from '#contract/selection.js';
import { inspectForeign } from '#engine/door/inspect-onnx.js';
import { openSegmenter } from '#engine/door/open-segmenter.js';
import type { Photo } from '#engine/image/files/photo.js';
import { selectSegment } from '#engine/pipelines/select-segment.js';
import { packOfCheckpoints } from '#packs/checkpoint-card.js';
import { OnnxRunner } from '../../../support/onnx-runner.js';
import { tinyDecoder, tinyEncoder } from '../../../support/tiny-segmenter.js';
import { TemporaryFiles } from '../weights/support/temporary-files.js';

const files = new TemporaryFiles();
const runner = new OnnxRunner();
const EXTENT = { width: 300, height: 200 };
const isBall = (i: number): boolean => Math.hypot(((i % 300) - 170) / 52, (Math.trunc(i / 300) - 96) / 40) < 1;

/** A red ball on green ground. */
function photo(): Photo {
  const samples = Uint8Array.from({ length: 3 * 300 * 200 }, (_, i) => {
    const colour = isBall(Math.trunc(i / 3)) ? [190, 50, 40] : [70, 120, 60];
    return colour[i % 3]!;
  });
  return { extent: EXTENT, channels: 3, samples } as unknown as Photo;
}

function overlap(values: Uint8Array, isIn: (i: number) => boolean): number {
  let [both, any] = [0, 0];
  values.forEach((value, i) => {
    if (value > 127 && isIn(i)) both++;
    if (value > 127 || isIn(i)) any++;
  });
  return both / any;
}

/** Told by their ports, as a pack of both. */
async function packOf(): Promise<Parameters<typeof openSegmenter>[0]> {
  const written = [files.write(tinyDecoder(), 'decoder.onnx'), files.write(tinyEncoder(), 'encoder.onnx')];
  const { sources, cardOf } = packOfCheckpoints({ reports: await Promise.all(written.map(inspectForeign)) });
  const card = cardOf(sources.map(({ role, bytes, name = '' }) => ({ role, bytes, name, sha256: '0'.repeat(64) })));
  return { card, folder: files.folder };
}

describe('a segmentation model in ONNX', () => {
  it.each<[string, Pointing, (i: number) => boolean]>([
    ['a click', { at: { x: 150, y: 90 } }, isBall],
    ['a box', { box: { x: 0, y: 0, width: 90, height: 90 } }, (i) => !isBall(i)],
  ])('gives the object that %s means to it, up to its edge', async (_, pointing, isIn) => {
    const pack = await packOf();
    expect(pack.card).toMatchObject({ name: 'encoder', family: 'segmentation', imageSize: 64 });
    const { segmenter, release, assertUnchanged } = await openSegmenter(pack, runner);
    await assertUnchanged();
    const { values } = await selectSegment({ photo: photo(), pointing, model: segmenter }, NEVER_CANCELLED);
    expect(overlap(values, isIn)).toBeGreaterThan(0.95);
    await release();
  });

  it('looks once at a photograph, and is given up between looking and asking', async () => {
    const { segmenter, release } = await openSegmenter(await packOf(), runner);
    let looks = 0;
    const counting: typeof segmenter = {
      sizeFor: (extent) => segmenter.sizeFor(extent),
      look: (picture) => ((looks += 1), segmenter.look(picture)),
      segment: (...asked) => segmenter.segment(...asked),
      release: () => segmenter.release(),
    };
    const selection = { photo: photo(), pointing: { at: { x: 1, y: 1 } }, model: counting };
    const given = selectSegment(selection, { ...NEVER_CANCELLED, aborted: true });
    await expect(given).rejects.toMatchObject({ name: 'CancelledError' });
    await selectSegment(selection, NEVER_CANCELLED);
    expect(looks).toBe(1);
    await release();
  });

  it('is refused with one half alone', async () => {
    const reports = [await inspectForeign(files.write(tinyEncoder(), 'encoder.onnx'))];
    expect(() => packOfCheckpoints({ reports })).toThrow(
      'Expected the encoder and the decoder of one segmentation model but received segment-encoder.',
    );
  });
});
