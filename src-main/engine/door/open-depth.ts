import { ExpectedError } from '#contract/errors.js';
import { isDepthCard, type AnyCard, type DepthCard } from '#contract/pack-card.js';
import { invertMap, normaliseMap } from '#engine/control/depth.js';
import { loadOnnx } from '#engine/graph/onnx-file.js';
import { openDepthPyramid } from '#engine/networks/depth-pyramid.js';
import { depthShapeOf, openOnnxDepth } from '#engine/networks/onnx-depth.js';
import type { DepthEstimator } from '#engine/tensor/predictor.js';
import { resizeArea, resizeCubic, resizeLinear } from '#engine/tensor/resample.js';
import type { Runner } from '#engine/tensor/runner.js';
import { expectFinite, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { InstalledPack } from './engine.js';
import { assertAllUnchanged, expectSame, hasRole, onlyFile, openRole, type Opened } from './open-role.js';

/** A depth estimator together with the files that it stands on; it looks at pictures of any size. */
export interface OpenDepth extends Opened {
  readonly depth: DepthEstimator;
}

/**
 * The depth estimator of a pack: a foreign model of its own, or the built-in network.
 *
 * @throws ExpectedError `pack.unable` where the pack has none.
 */
export async function openDepth({ card, folder }: InstalledPack<AnyCard>, runner: Runner): Promise<OpenDepth> {
  if (isDepthCard(card)) return openForeign({ card, folder }, runner);
  if (!hasRole(card, 'depth'))
    throw new ExpectedError('pack.unable', `Expected a pack with a depth estimator but "${card.name}" has none.`);
  const { weights, identities } = await openRole({ card, folder }, 'depth');
  const depth = fitted(await openDepthPyramid(runner, weights, card.imageSize));
  return { depth, assertUnchanged: () => assertAllUnchanged(identities), release: () => depth.release() };
}

/** Whatever range a model's depth has, it becomes 0 (far) … 1 (near) in every picture. */
async function openForeign(pack: InstalledPack<DepthCard>, runner: Runner): Promise<OpenDepth> {
  const { file, entry } = onlyFile(pack, 'depth');
  const { model, graph, identity, external } = await loadOnnx(file);
  expectSame(entry, identity);
  const config = pack.card.config.depth;
  const foreign = fitted(await openOnnxDepth(runner, { graph, config, shape: depthShapeOf(model) }));
  const towards = config.near === 'high' ? normaliseMap : (map: FloatTensor) => invertMap(normaliseMap(map));
  return {
    depth: { ...foreign, estimate: async (picture) => towards(await foreign.estimate(picture)) },
    assertUnchanged: () => assertAllUnchanged([identity, ...external]),
    release: () => foreign.release(),
  };
}

/** Shows the estimator every picture at the size that it wants. */
function fitted(estimator: DepthEstimator): DepthEstimator {
  return {
    sizeFor: (picture) => estimator.sizeFor(picture),
    release: () => estimator.release(),
    async estimate(picture) {
      const [, , height = 0, width = 0] = picture.dims;
      const size = estimator.sizeFor({ width, height });
      const planes = floats(picture.dims.slice(1), picture.data);
      const shrinks = size.width * size.height < width * height;
      const seen = (shrinks ? resizeArea : resizeCubic)(planes, [size.height, size.width]);
      const map = expectFinite(await estimator.estimate(floats([1, ...seen.dims], seen.data)), 'depth'); // (1, 1, h', w')
      return floats([1, 1, height, width], resizeLinear(floats(map.dims.slice(1), map.data), [height, width]).data);
    },
  };
}
