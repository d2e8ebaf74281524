import { at } from '#base/assert.js';
import type { Rect } from '#base/geometry.js';
import { changedRegion, upsampleRegion } from '#engine/image/compositing/composite.js';
import { namedParts, type Standing } from '#engine/image/compositing/objects/named-parts.js';
import { isAllOfIt } from '#engine/image/compositing/objects/recoloured.js';
import type { ObjectMap } from '#engine/image/compositing/objects/object-map.js';
import { EVERYWHERE, type Weight } from '#engine/image/working/mask.js';
import { keepsOutlines } from '#engine/image/compositing/outlines.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { snapToEdges } from '#engine/image/compositing/snap.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { widenByOneToken } from '#engine/sampling/keep-mask.js';
import type { Quantiser, ScaleTokens } from '#engine/sampling/quantiser.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { drawnObject, foundObject, hasCome, recolouring, remainsOfFound, type FoundObject } from './changed-object.js';
import { removedArea } from './removed-object.js';
import type { Wording } from './wording.js';

// h, w finest token grid · l = h·w

/** Above this share of changed tokens an edit counts as one of the whole picture (light, colour). */
const WHOLE_PICTURE = 0.6;
/** A token counts as changed when at least this share of its values differs from the source's. */
const CHANGED_BITS = 0.25;
/** Decoded pictures differ by less than this, of 1, where the tokenizer merely wavers. */
const CHANGED_COLOUR = 0.2;
/** Edges are looked for at this size: finer than the model's, and cheap on any photograph. */
const SNAP_SIDE = 256;

export interface EditTrace {
  readonly quantiser: Quantiser;
  readonly tokens: readonly ScaleTokens[];
  readonly sourceTokens: readonly ScaleTokens[];
  /** Copy-gate logits of the finest scale that ran, `[l]`. */
  readonly gate?: FloatTensor;
  /** Decoded pictures, `[1, 3, S, S]`. */
  readonly before: FloatTensor;
  readonly after: FloatTensor;
}

/**
 * Where an unmasked edit may touch the canvas: the tokens that the model changed (the pack's edit
 * map where it has a copy gate, differing bits elsewhere), refined by what differs once decoded.
 */
export async function changedArea(trace: EditTrace, look: Look): Promise<ChangedArea> {
  const map = editedTokens(trace);
  const share = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
  if (share >= WHOLE_PICTURE) return { weight: EVERYWHERE };
  const tokens = widenByOneToken(map, 1);
  const found = await foundObject({ ...trace, tokens }, look.frame, look.canvas);
  const became = found && (await whatBecame(ofNamed(found, look), trace, look.wording));
  if (became?.weight) return became as ChangedArea;
  const isRedrawn = became?.isRedrawn === true;
  return { weight: await differing(trace, { ...look, tokens, isRedrawn }), ...(isRedrawn && { isRedrawn }) };
}

/** Where tokens and decoded pixels differ; of what was recoloured, up to its outline. */
async function differing(
  trace: EditTrace,
  { frame, canvas, tokens, isRedrawn }: Look & { tokens: FloatTensor; isRedrawn: boolean },
): Promise<Mask> {
  const { extent } = canvas;
  const isRecoloured = !isRedrawn && keepsOutlines(trace.before, trace.after);
  const region = isRecoloured ? await recolouredRegion(trace, frame, canvas) : changedRegion(trace, {});
  const [free, { values }] = [upsampleRegion(tokens, frame, extent), upsampleRegion(region, frame, extent)];
  for (let i = 0; i < values.length; i++) if (values[i]! > free.values[i]!) values[i] = free.values[i]!;
  return { extent, values };
}

/** A removed object, a recoloured one, or one that came; nothing where none of it is sure. */
async function whatBecame(found: FoundObject, trace: EditTrace, wording: Wording | undefined): Promise<Partial<ChangedArea>> {
  const removed = await removedArea(found, wording);
  if (removed) return { weight: removed, isRemoved: true };
  const remains = remainsOfFound(found);
  if (remains && hasCome(remains, wording)) return { isRedrawn: true };
  const same = recolouring(found);
  if (same && isAllOfIt(same, wording === 'colour' ? 'asked' : 'shown')) return { weight: await drawnObject(found), map: same.map };
  return same ? { isRedrawn: true } : {};
}

export interface ChangedArea {
  readonly weight: Weight;
  /** What became of its colours, where it is one object. */
  readonly map?: ObjectMap;
  /** What was there became what lies around it. */
  readonly isRemoved?: boolean;
  /** Something is there that was not. */
  readonly isRedrawn?: boolean;
}

/** Where an edit is looked for. */
export interface Look {
  readonly frame: Rect;
  readonly canvas: Photo;
  readonly wording?: Wording | undefined;
  /** Where the picture shows what the instruction speaks of. */
  readonly standing?: Standing | undefined;
}

function ofNamed(found: FoundObject, { standing, wording }: Look): FoundObject {
  // What is to come stands nowhere yet.
  if (!standing || wording === 'for') return found;
  return { ...found, inside: namedParts(found.inside, found.place.extent, standing) };
}

/** What changed its colour, up to its own outline: `[1, SNAP_SIDE, SNAP_SIDE]`. */
async function recolouredRegion(trace: EditTrace, frame: Rect, canvas: Photo): Promise<FloatTensor> {
  const region = changedRegion(trace, { threshold: CHANGED_COLOUR });
  const [, height = 0, width = 0] = region.dims;
  const coarse = await workingCopy(canvas, frame, { width, height });
  return snapToEdges(region, { coarse, fine: await workingCopy(canvas, frame, { width: SNAP_SIDE, height: SNAP_SIDE }) });
}

/** 1 where a token of the finest scale was edited, `[1, h, w]`. */
export function editedTokens({ quantiser, tokens, sourceTokens, gate }: EditTrace): FloatTensor {
  const scale = tokens.length - 1;
  const map = floats([1, ...at(quantiser.schedule, scale)]);
  const size = quantiser.valuesPerToken;
  for (let token = 0; token < map.data.length; token++) {
    const edited = gate
      ? gate.data[token]! < 0
      : bitsDiffering(at(tokens, scale), at(sourceTokens, scale), { token, size }) >= CHANGED_BITS;
    map.data[token] = edited ? 1 : 0;
  }
  return map;
}

function bitsDiffering(a: ScaleTokens, b: ScaleTokens, { token, size }: { token: number; size: number }): number {
  let count = 0;
  for (let i = token * size; i < (token + 1) * size; i++) count += a[i] === b[i] ? 0 : 1;
  return count / size;
}
