import { ExpectedError } from '#contract/errors.js';
import { isSegmenterCard, type AnyCard } from '#contract/pack-card.js';
import { loadOnnx } from '#engine/graph/onnx-file.js';
import { decoderShapeOf, encoderShapeOf, openOnnxSegmenter } from '#engine/networks/onnx-segmenter.js';
import type { Segmenter } from '#engine/tensor/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { InstalledPack } from './engine.js';
import { assertAllUnchanged, expectSame, onlyFile, type Opened } from './open-role.js';

/** A segmentation model together with the files that it stands on. */
export interface OpenSegmenter extends Opened {
  readonly segmenter: Segmenter;
}

/**
 * The promptable segmentation model of a pack.
 *
 * @throws ExpectedError `pack.unable` where the pack is none.
 */
export async function openSegmenter(pack: InstalledPack<AnyCard>, runner: Runner): Promise<OpenSegmenter> {
  const { card } = pack;
  if (!isSegmenterCard(card)) throw new ExpectedError('pack.unable', `Expected a segmentation model but "${card.name}" is none.`);
  const [encoder, decoder] = [await load(pack, 'segment-encoder'), await load(pack, 'segment-decoder')];
  const segmenter = await openOnnxSegmenter(runner, {
    encoder: { graph: encoder.graph, shape: encoderShapeOf(encoder.model) },
    decoder: { graph: decoder.graph, shape: decoderShapeOf(decoder.model) },
    config: card.config.segmenter,
  });
  const identities = [encoder, decoder].flatMap(({ identity, external }) => [identity, ...external]);
  return { segmenter, assertUnchanged: () => assertAllUnchanged(identities), release: () => segmenter.release() };
}

async function load(pack: InstalledPack<AnyCard>, role: 'segment-encoder' | 'segment-decoder') {
  const { file, entry } = onlyFile(pack, role);
  const loaded = await loadOnnx(file);
  expectSame(entry, loaded.identity);
  return loaded;
}
