import { ExpectedError } from '#contract/errors.js';
import type { OtherCard } from '#contract/pack-card.js';
import type { ControlKind } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { controlNamed, headOf, only, partsOf, sourceOf, type CheckpointPack, type PublishedFiles } from '../published-files.js';
import { varPack } from '../var/card.js';
import { varTransformer, vectorTokenizer, type VarShape } from '../var/networks.js';
import { carAdapter, type CarShape } from './networks.js';

const PARTS = 'a CAR adapter, the VAR that it was made for and its tokenizer';

export function carPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, [carAdapter.name, varTransformer.name, vectorTokenizer.name], PARTS);
  const adapter = only(parts, carAdapter);
  expectOneModel(adapter.model, only(parts, varTransformer).model);
  const reports = files.reports.filter(({ model }) => model?.family !== carAdapter.name);
  const below = varPack({ ...files, reports, inPlace: files.inPlace === true || files.standing === true });
  // Sketches are drawn lines.
  const control = files.control ?? controlNamed(adapter.report.file, ['sketch', 'lineart']);
  return {
    sources: [...below.sources, sourceOf('adapter', adapter.report, { inPlace: files.inPlace })],
    cardOf: (copied) => carCard({ ...(below.cardOf(copied) as OtherCard), ...headOf(files, adapter.report, copied) }, control),
  };
}

function expectOneModel(adapter: CarShape, transformer: VarShape): void {
  if (adapter.width === transformer.width && adapter.heads === transformer.heads && 2 * adapter.depth === transformer.depth) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a VAR of ${2 * adapter.depth} layers, ${adapter.width} wide, under the adapter but received one of ${transformer.depth}, ${transformer.width} wide.`,
  );
}

/** The VAR's card with what the adapter brings. */
function carCard(card: OtherCard, control: ControlKind): OtherCard {
  return {
    ...card,
    title: `${card.title} held by ${control} (CAR)`,
    family: 'car',
    traits: { ...traitsOf(card), control: [control] },
    abilities: [...card.abilities, `pictures held by a map: ${control}, more or less; at strength 0 the VAR itself`],
    limits: [...card.limits, 'a strength between 0 and 1 is ours: it was trained at 1'],
  };
}
