import type { PackCard } from '#contract/pack-card.js';
import { controlArFamily } from './controlar/family.js';
import type { Family } from './family.js';
import { infinityFamily } from './infinity/family.js';
import type { Network } from './network.js';
import { varFamily } from './var/family.js';

type CardOf<F> = Extract<PackCard, { family: F }>;

/** Every family that draws. Nothing else in the studio knows them one by one. */
export const FAMILIES = {
  infinity: infinityFamily,
  var: varFamily,
  controlar: controlArFamily,
} satisfies { readonly [F in PackCard['family']]: Family<CardOf<F>> };

export function familyOf(card: Pick<PackCard, 'family'>): Family {
  return FAMILIES[card.family];
}

export function everyFamily(): readonly Family[] {
  return Object.values(FAMILIES);
}

/** Networks of all families, each once: an encoder of text belongs to several. */
export function everyNetwork(): readonly Network[] {
  return [...new Set(everyFamily().flatMap(({ networks }) => networks))];
}
