import { basename } from 'node:path';
import type { DepthCard, PackFile } from '#contract/pack-card.js';
import type { ForeignDepth, InspectReport } from '#engine/door/engine.js';
import type { PackSource } from '#engine/door/published.js';
import { foreignSources } from './foreign-sources.js';

/** As Depth Anything V2 publishes it, and most that came before: ImageNet's colours, patches of 14, 518 pixels. */
const PREPROCESSING = { side: 518, patch: 14, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } satisfies Partial<
  DepthCard['config']['depth']
>;

/** What a pack calls its own. */
const TAKEN = ['card.json', 'depth.onnx'];

export function depthSources(report: InspectReport, model: ForeignDepth): readonly PackSource[] {
  return foreignSources(report, model, { role: 'depth', name: 'depth.onnx', beside: 'depth-weights', taken: TAKEN });
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
