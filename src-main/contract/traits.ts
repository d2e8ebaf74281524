import { at } from '#base/assert.js';
import type { Grid } from '#base/geometry.js';
import type { KnownCard, PackCard } from './pack-card.js';
import type { Traits } from './trait-schema.js';
import { CONTROL_KINDS, type ControlKind } from './request.js';

const PLAIN: Traits = {
  ...{ seesSource: false, maskEmbedding: false, sourceFusion: false, fills: true, anyShape: false, padsSource: false },
  redraws: 'experimental',
};

/** What a run goes through, one after the other. */
export type Steps = 'scales' | NonNullable<Traits['steps']>;

/** The traits of a pack, by its card alone. */
export function traitsOf(card: PackCard): Traits {
  return 'traits' in card ? card.traits : knownTraits(card);
}

/** Families whose cards were written before cards said so themselves. */
function knownTraits(card: KnownCard): Traits {
  if (card.family === 'var') return PLAIN;
  if (card.family === 'controlar') {
    // Of a row every token was read by the next.
    const { redraws: _, ...plain } = PLAIN;
    return { ...plain, fills: false, anyShape: true, steps: 'rows', control: [card.config.transformer.control] };
  }
  const { source, maskEmbedding, holes, sourceFusion, control, rotary } = card.config.transformer;
  const isPublished = rotary.kind === 'published';
  return {
    seesSource: source !== false,
    ...{ maskEmbedding, sourceFusion, fills: true, redraws: 'experimental' },
    ...(holes === 'smooth' && { smoothHoles: true }),
    anyShape: isPublished,
    padsSource: source === true && isPublished,
    ...(control && { control: control.channels }),
  };
}

/** The grid of the whole picture that the steps of a run make. */
export function wholeGrid(schedule: readonly Grid[], { steps }: Pick<Traits, 'steps'>): Grid {
  const last = at(schedule, schedule.length - 1);
  if (steps === 'rows') return [schedule.length, last[1]];
  if (steps !== 'diagonals') return last;
  const side = (schedule.length + 1) / 2;
  return [side, side];
}

/** The kinds of maps that a pack is held by; undefined where its card names none. */
export function controlKindsOf(card: PackCard): readonly ControlKind[] | undefined {
  const channels = traitsOf(card).control;
  return channels && CONTROL_KINDS.filter((kind) => channels.includes(kind));
}

/** The words for each kind of object that a pack tells apart in pictures; none where it tells none. */
export function objectNamesOf(card: PackCard): readonly (readonly string[])[] {
  const known = 'traits' in card ? undefined : card;
  return known?.family === 'infinity' ? (known.config.objects?.names ?? []) : [];
}

/** How a line of a card's abilities or limits begins that nothing was trained for. */
export const EXPERIMENTAL = 'experimental: ';
