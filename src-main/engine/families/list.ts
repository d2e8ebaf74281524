import { ExpectedError } from '#contract/errors.js';
import type { KnownCard, PackCard } from '#contract/pack-card.js';
import { carFamily } from './car/family.js';
import { controlArFamily } from './controlar/family.js';
import type { Family } from './family.js';
import { flexVarFamily } from './flexvar/family.js';
import { hmarFamily } from './hmar/family.js';
import { infinityFamily } from './infinity/family.js';
import { narFamily } from './nar/family.js';
import type { Network } from './network.js';
import { swittiFamily } from './switti/family.js';
import { varFamily } from './var/family.js';

type CardOf<F> = Extract<KnownCard, { family: F }>;

/** Every family that draws. Nothing else in the studio knows them one by one. */
export const FAMILIES = {
  infinity: infinityFamily,
  var: varFamily,
  controlar: controlArFamily,
  nar: narFamily,
  flexvar: flexVarFamily,
  car: carFamily,
  hmar: hmarFamily,
  switti: swittiFamily,
} satisfies { readonly [F in KnownCard['family']]: Family<CardOf<F>> } & Readonly<Record<string, Family<never>>>;

/** Throws `pack.unable` for a card of a family that this version does not know. */
export function familyOf({ family, name }: Pick<PackCard, 'family' | 'name'>): Family {
  const found = Object.entries<Family>(FAMILIES).find(([known]) => known === family);
  if (found) return found[1];
  const known = Object.keys(FAMILIES).join(', ');
  throw new ExpectedError('pack.unable', `Expected a family of ${known} for the pack "${name}" but received ${family}.`);
}

export function everyFamily(): readonly Family[] {
  return Object.values(FAMILIES);
}

/** Networks of all families, each once: an encoder of text belongs to several. */
export function everyNetwork(): readonly Network[] {
  return [...new Set(everyFamily().flatMap(({ networks }) => networks))];
}
