import * as v from 'valibot';
import type { PackCard } from './pack-card.js';
import { CONTROL_KINDS, type ControlKind } from './request.js';

/** All that pipelines and window ask of a pack's family: neither knows families by name. */
export const Traits = v.object({
  /** Whether it sees the source; one that does not edits by having the source's own tokens put back. */
  seesSource: v.boolean(),
  /** Whether it is told which tokens are to be repainted. */
  maskEmbedding: v.boolean(),
  sourceFusion: v.boolean(),
  /** Whether it fills holes and extends pictures; one that draws row by row cannot see what lies below, and only generates. */
  fills: v.boolean(),
  /** Whether it makes pictures of other shapes than the square. */
  anyShape: v.boolean(),
  /** Whether its published code shows it whole pictures on a white square, which ours does only where it is asked to. */
  padsSource: v.boolean(),
  /** Channels of a control picture, where it takes one. */
  control: v.optional(v.array(v.string())),
});
export type Traits = v.InferOutput<typeof Traits>;

const PLAIN: Traits = { seesSource: false, maskEmbedding: false, sourceFusion: false, fills: true, anyShape: false, padsSource: false };

/** The traits of a pack, by its card alone. */
export function traitsOf(card: PackCard): Traits {
  if (card.family === 'var') return PLAIN;
  if (card.family === 'controlar') return { ...PLAIN, fills: false, anyShape: true, control: [card.config.transformer.control] };
  const { source, maskEmbedding, sourceFusion, control, rotary } = card.config.transformer;
  const isPublished = rotary.kind === 'published';
  return {
    seesSource: source !== false,
    ...{ maskEmbedding, sourceFusion, fills: true },
    anyShape: isPublished,
    padsSource: source === true && isPublished,
    ...(control && { control: control.channels }),
  };
}

/** The kinds of maps that a pack is held by; undefined where its card names none. */
export function controlKindsOf(card: PackCard): readonly ControlKind[] | undefined {
  const channels = traitsOf(card).control;
  return channels && CONTROL_KINDS.filter((kind) => channels.includes(kind));
}

/** How a line of a card's abilities or limits begins that nothing was trained for. */
export const EXPERIMENTAL = 'experimental: ';
