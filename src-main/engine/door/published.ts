import type { InspectReport } from '#engine/families/report.js';
import type { Family } from '#engine/families/family.js';
import { everyFamily, FAMILIES } from '#engine/families/list.js';

export { SETTINGS_NAME } from '#engine/families/inspect.js';
/** What packs need to know of published files. */
export { headOf, only, partsOf } from '#engine/families/published-files.js';
export type { CheckpointPack, PackSource, PublishedFiles } from '#engine/families/published-files.js';

/** The family whose transformer is among the files; where none is, one that knows the others says what is missing. */
export function familyOfReports(reports: readonly InspectReport[]): Family {
  const names = new Set<string>(reports.flatMap(({ model }) => model?.family ?? []));
  const knowing = (isOne: (family: Family) => boolean) => everyFamily().find(isOne);
  const among = everyFamily().filter(({ networks: [transformer] }) => names.has(transformer.name));
  // An adapter comes with the transformer of another family.
  const ownWay = among.find(({ networks: [{ name }] }) => !among.some(({ standsOn }) => standsOn === name));
  return ownWay ?? knowing(({ networks }) => networks.some(({ name }) => names.has(name))) ?? FAMILIES.infinity;
}
