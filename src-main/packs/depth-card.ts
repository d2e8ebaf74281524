import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { DepthCard, PackFile } from '#contract/pack-card.js';
import type { ForeignDepth, InspectReport } from '#engine/door/engine.js';

/** As Depth Anything V2 publishes it, and most that came before: ImageNet's colours, patches of 14, 518 pixels. */
const PREPROCESSING = { side: 518, patch: 14, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } satisfies Partial<
  DepthCard['config']['depth']
>;

/** What a pack calls its own. */
const TAKEN = ['card.json', 'depth.onnx'];

/** The model and what it names beside itself, under the very names that it uses. */
export function depthSources({ file, sizeBytes }: InspectReport, { external }: ForeignDepth) {
  const weights = external.map((part) => ({
    role: 'depth-weights' as const,
    path: part.file,
    files: [part.file],
    bytes: part.bytes,
    name: basename(part.file),
  }));
  const taken = weights.find(({ name }) => TAKEN.includes(name.toLowerCase()));
  if (taken) throw new ExpectedError('weights.refused', `Expected another name for the weights of ${basename(file)} than ${taken.name}.`);
  return [{ role: 'depth' as const, path: file, files: [file], bytes: sizeBytes, name: 'depth.onnx' }, ...weights];
}

/** What a card of this family begins with. */
export type DepthHead = Pick<DepthCard, 'format' | 'name' | 'version' | 'licence' | 'dataSources'> & { readonly files: PackFile[] };

/** Relative models give disparity; published ones that give metres say so in their names. */
export function depthCard(head: DepthHead, { file }: InspectReport, { fixed }: ForeignDepth): DepthCard {
  const metric = /metric/iu.test(basename(file));
  return {
    ...head,
    title: fixed ? `Depth model, ${fixed.width}×${fixed.height}` : 'Depth model',
    family: 'depth',
    imageSize: fixed ? Math.min(fixed.width, fixed.height) : PREPROCESSING.side,
    config: { depth: { kind: 'onnx', ...PREPROCESSING, near: metric ? 'low' : 'high' } },
    abilities: ['depth maps of photographs'],
    limits: ['draws no pictures'],
  };
}
