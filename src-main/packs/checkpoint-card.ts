import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { ForeignDecoder, ForeignDepth, ForeignEncoder } from '#engine/door/engine.js';
import { familyOfReports, headOf, only, partsOf, type CheckpointPack, type PublishedFiles } from '#engine/door/published.js';
import { depthCard, depthSources } from './depth-card.js';
import { segmenterCard, segmenterSources } from './segmenter-card.js';

/**
 * A pack of files that the authors published, told from their tensors alone.
 *
 * @throws ExpectedError `weights.refused` where they are not the parts of one model.
 */
export function packOfCheckpoints(files: PublishedFiles): CheckpointPack {
  const unknown = files.reports.find(({ model }) => model === null);
  if (unknown) throw new ExpectedError('weights.refused', `${basename(unknown.file)}: ${unknown.reason ?? 'not recognised.'}`);
  const families = files.reports.map(({ model }) => model?.family);
  if (families.includes('depth')) return depthPack(files);
  if (families.some((family) => family === 'segment-encoder' || family === 'segment-decoder')) return segmenterPack(files);
  return familyOfReports(files.reports).pack(files);
}

function depthPack(files: PublishedFiles): CheckpointPack {
  const { report, model } = only<ForeignDepth>(partsOf(files, ['depth'], 'one depth model and nothing else'), { name: 'depth' });
  return { sources: depthSources(report, model), cardOf: (copied) => depthCard(headOf(files, report, copied), report, model) };
}

function segmenterPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, ['segment-encoder', 'segment-decoder'], 'the encoder and the decoder of one segmentation model');
  const encoder = only<ForeignEncoder>(parts, { name: 'segment-encoder' });
  const decoder = only<ForeignDecoder>(parts, { name: 'segment-decoder' });
  return {
    sources: segmenterSources({ encoder, decoder }),
    cardOf: (copied) => segmenterCard(headOf(files, encoder.report, copied), encoder.model),
  };
}
