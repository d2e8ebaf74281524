import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { ForeignDepth } from '#engine/door/engine.js';
import { familyOfReports, headOf, only, partsOf, type CheckpointPack, type PublishedFiles } from '#engine/door/published.js';
import { depthCard, depthSources } from './depth-card.js';

/**
 * A pack of files that the authors published, told from their tensors alone.
 *
 * @throws ExpectedError `weights.refused` where they are not the parts of one model.
 */
export function packOfCheckpoints(files: PublishedFiles): CheckpointPack {
  const unknown = files.reports.find(({ model }) => model === null);
  if (unknown) throw new ExpectedError('weights.refused', `${basename(unknown.file)}: ${unknown.reason ?? 'not recognised.'}`);
  const isDepth = files.reports.some(({ model }) => model?.family === 'depth');
  return isDepth ? depthPack(files) : familyOfReports(files.reports).pack(files);
}

function depthPack(files: PublishedFiles): CheckpointPack {
  const { report, model } = only<ForeignDepth>(partsOf(files, ['depth'], 'one depth model and nothing else'), { name: 'depth' });
  return { sources: depthSources(report, model), cardOf: (copied) => depthCard(headOf(files, report, copied), report, model) };
}
