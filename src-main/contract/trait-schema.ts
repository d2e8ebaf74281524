import * as v from 'valibot';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4096));

/** All that pipelines and window ask of a pack's family: neither knows families by name. */
export const Traits = v.object({
  /** Whether it sees the source; one that does not edits by having the source's own tokens put back. */
  seesSource: v.boolean(),
  /** Whether it is told which tokens are to be repainted. */
  maskEmbedding: v.boolean(),
  /** Whether what surrounds a hole goes on smoothly inside it, for the model to see; otherwise it is grey there. */
  smoothHoles: v.optional(v.boolean()),
  sourceFusion: v.boolean(),
  /** Whether it fills holes and extends pictures; one that draws row by row cannot see what lies below, and only generates. */
  fills: v.boolean(),
  /** Whether it makes pictures of other shapes than the square. */
  anyShape: v.boolean(),
  /** Whether its published code shows it whole pictures on a white square, which ours does only where it is asked to. */
  padsSource: v.boolean(),
  /** What the steps of a run are, where they are no scales: each is a part of the picture instead of all of it. */
  steps: v.optional(v.picklist(['rows', 'diagonals'])),
  /** How many scales a picture may be drawn in, where that is for the user to choose; else as many as the card has. */
  scaleCounts: v.optional(v.object({ least: positive, most: positive })),
  /** Sides in pixels of the square that it may draw, where that is for the user to choose; else `imageSize`. */
  modelSides: v.optional(v.object({ least: positive, most: positive, step: positive })),
  /** Whether its first scales are a picture by themselves, so that a whole picture may be drawn anew from them on. */
  refines: v.optional(v.boolean()),
  /**
   * Whether the least certain tokens of a scale can be drawn once more: by passes that it was trained for, or as an experiment,
   * from the logits that they came from; absent = not at all.
   */
  redraws: v.optional(v.picklist(['own', 'experimental'])),
  /** Channels of a control picture, where it takes one. */
  control: v.optional(v.array(v.string())),
});
export type Traits = v.InferOutput<typeof Traits>;
