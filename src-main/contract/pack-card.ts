import * as v from 'valibot';
import { CONTROL_KINDS, PRESETS, Temperature } from './request.js';
import { Traits } from './trait-schema.js';

const positive = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(512));
const Grid = v.tuple([side, side]);

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));

export const PackFile = v.object({
  /** A plain base name beside the card, or of a file that stayed where it was. */
  name: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/u, 'Expected a plain file name.')),
  /** `text` may be several files, the parts of one checkpoint; `depth-weights` and `segment-weights` are what a foreign model names beside itself. */
  role: v.picklist([
    ...(['transformer', 'adapter', 'tokenizer', 'depth', 'depth-weights', 'objects', 'text', 'text-tokenizer'] as const),
    ...(['segment-encoder', 'segment-decoder', 'segment-weights'] as const),
  ]),
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  sha256: Sha256,
  /** Where it lies if it was opened in place, and when it had last been changed. */
  at: v.optional(v.object({ path: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)), modifiedMs: v.number() })),
  /** The published files that it was made of. */
  madeOf: v.optional(v.pipe(v.array(v.object({ name: v.string(), sha256: Sha256 })), v.maxLength(1000))),
});
export type PackFile = v.InferOutput<typeof PackFile>;

/** Sizes and switches of an Infinity-family transformer; published weights leave the optional additions off. */
export const TransformerConfig = v.object({
  depth: positive,
  width: positive,
  heads: positive,
  tokenBits: positive,
  scales: v.pipe(v.array(Grid), v.minLength(1), v.maxLength(64)),
  /** Tokenizer cells per token and axis: 1, or 2 where 2×2 cells make a token. */
  patchify: v.picklist([1, 2]),
  rotary: v.variant('kind', [
    /** `span`: side of the token grid whose cells positions are counted in, where training began with a coarser one; absent: the finest. */
    v.object({ kind: v.literal('normalised'), base: v.number(), span: v.optional(positive) }),
    v.object({ kind: v.literal('published'), ratio: v.string() }),
  ]),
  text: v.variant('kind', [
    v.object({
      kind: v.literal('words'),
      maxWords: positive,
      vocabulary: v.pipe(v.array(v.string()), v.maxLength(100_000)),
      examples: v.optional(v.pipe(v.array(v.string()), v.maxLength(32)), []),
      /** Those of its instructions that do well on any photograph. */
      photoExamples: v.optional(v.pipe(v.array(v.string()), v.maxLength(32))),
    }),
    v.object({ kind: v.literal('features'), width: positive, maxTokens: positive }),
  ]),
  /** Whether it was trained to see a picture (VAREdit); Infinity draws from words alone. Absent = it was. */
  source: v.optional(v.boolean()),
  sourceFusion: v.optional(v.boolean(), false),
  copyGate: v.optional(v.boolean(), false),
  maskEmbedding: v.optional(v.boolean(), false),
  /** What it was shown inside a hole: grey, which is never copied, or its surroundings going on smoothly. Absent = grey. */
  holes: v.optional(v.picklist(['grey', 'smooth'])),
  control: v.optional(v.object({ channels: v.array(v.string()), layers: v.array(v.pipe(v.number(), v.integer(), v.minValue(0))) })),
  /** How many of the last scales a depth preset may thin. */
  lateScales: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  normEps: v.optional(v.number(), 1e-6),
});
export type TransformerConfig = v.InferOutput<typeof TransformerConfig>;

/** Sizes of a class-conditional VAR transformer. */
export const VarConfig = v.object({
  depth: positive,
  width: positive,
  heads: positive,
  /** Channels of a codebook entry, and how many entries there are. */
  codeWidth: positive,
  entries: v.pipe(positive, v.maxValue(65_536)),
  scales: v.pipe(v.array(Grid), v.minLength(1), v.maxLength(64)),
  classes: positive,
  text: v.object({
    kind: v.literal('classes'),
    /** Per class its names, comma-separated; the class's number where there are none. */
    names: v.pipe(v.array(v.string()), v.maxLength(100_000)),
  }),
  lateScales: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});
export type VarConfig = v.InferOutput<typeof VarConfig>;

/** Sizes of a ControlAR transformer: one token after the other, row by row, which are its `scales`. */
export const ControlArConfig = v.object({
  depth: positive,
  width: positive,
  heads: positive,
  entries: v.pipe(positive, v.maxValue(65_536)),
  scales: v.pipe(v.array(Grid), v.minLength(1), v.maxLength(64)),
  text: v.object({ kind: v.literal('features'), width: positive, maxTokens: positive }),
  /** What it was trained to hold. */
  control: v.picklist(CONTROL_KINDS),
  lateScales: v.optional(v.literal(0), 0),
});
export type ControlArConfig = v.InferOutput<typeof ControlArConfig>;

export const TokenizerConfig = v.variant('kind', [
  v.looseObject({ kind: v.literal('residual'), codeBits: positive, downsample: positive }),
  v.looseObject({ kind: v.literal('vqgan'), codeBits: positive, downsample: positive, groups: positive }),
]);
export type TokenizerConfig = v.InferOutput<typeof TokenizerConfig>;

/**
 * How the weights of linear layers are stored: exactly, in two bytes each (as they are where they come so), or as integers
 * with one scale per output (int8) or per 32 inputs (int4).
 */
export const PRECISIONS = ['float32', 'half', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

const LayerCount = positive;

export const PackName = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/u));

const every = {
  format: v.literal(1),
  name: PackName,
  title: v.string(),
  version: v.string(),
  licence: v.string(),
  imageSize: positive,
  files: v.pipe(v.array(PackFile), v.minLength(1), v.maxLength(64)),
  dataSources: v.array(v.unknown()),
  abilities: v.array(v.string()),
  limits: v.array(v.string()),
  measured: v.optional(v.unknown()),
};

/** Of packs that draw. */
const common = {
  ...every,
  precision: v.optional(v.picklist(PRECISIONS), 'float32'),
  /** Layers that the late scales run, per depth preset (VARiant). */
  presets: v.object({ best: LayerCount, balanced: LayerCount, fast: LayerCount, draft: LayerCount }),
  /**
   * Model pixels across the finest detail that its pictures hold; measured when the pack is made or imported, and by
   * `report-tokenizer`.
   */
  resolves: v.optional(v.pipe(v.number(), v.minValue(0.5), v.maxValue(64))),
  /** From this height on capital letters stay apart, in pixels of the model's picture; null = at no height; measured likewise. */
  lettersFromPx: v.optional(v.nullable(v.pipe(v.number(), v.minValue(1), v.maxValue(1024)))),
  /** How far its pictures lead the detail scales, 0..3, where nothing else is asked for; absent = a little. */
  lead: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(3))),
  /** Presets that leave out layers which the weights were trained with. */
  untrainedPresets: v.optional(v.array(v.picklist(PRESETS))),
  defaults: v.object({
    guidance: v.number(),
    temperature: Temperature,
    topP: v.optional(v.number(), 0.97),
    topK: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
    /** Whether guidance is the same at every scale, grows from none to all (VAR), or is all from the tenth on (FlexVAR). */
    guidanceRamp: v.optional(v.picklist(['constant', 'linear', 'ten scales']), 'constant'),
    /** Guidance ends behind this scale (1-based); absent = it never does. */
    guidanceUntil: v.optional(positive),
    /** Guidance by a control map, where there is one and nothing else is asked for; absent = as without a map. */
    controlGuidance: v.optional(v.number()),
    /** What a fill or expansion without words says to the model. */
    fillInstruction: v.optional(v.string(), ''),
  }),
};

const Colours = v.tuple([v.number(), v.number(), v.number()]);

/** How a depth model of ONNX wants to see pictures, and how its map is to be read. */
export const DepthConfig = v.object({
  kind: v.literal('onnx'),
  /** Shorter side of what it sees, in pixels, where it takes pictures of any size. */
  side: v.pipe(positive, v.maxValue(4096)),
  /** Sides are multiples of this. */
  patch: v.pipe(positive, v.maxValue(256)),
  /** Of red, green and blue in 0..1. */
  mean: Colours,
  std: Colours,
  /** Whether what is near has high numbers (disparity) or low ones (metres). */
  near: v.picklist(['high', 'low']),
});
export type DepthConfig = v.InferOutput<typeof DepthConfig>;

export const SegmenterConfig = v.object({
  kind: v.literal('onnx'),
  /** Of red, green and blue in 0..1. */
  mean: Colours,
  std: Colours,
});
export type SegmenterConfig = v.InferOutput<typeof SegmenterConfig>;

/** The objects that a pack tells apart in pictures: per kind the words that name it, in the order of its network's outputs. */
export const ObjectsConfig = v.looseObject({
  kind: v.literal('finder'),
  names: v.pipe(v.array(v.pipe(v.array(v.string()), v.minLength(1))), v.minLength(1), v.maxLength(1000)),
});

const KnownCard = v.variant('family', [
  v.object({
    ...common,
    family: v.literal('infinity'),
    config: v.object({
      transformer: TransformerConfig,
      tokenizer: TokenizerConfig,
      depth: v.optional(v.looseObject({ kind: v.literal('pyramid'), size: positive })),
      objects: v.optional(ObjectsConfig),
    }),
  }),
  v.object({
    ...common,
    family: v.literal('var'),
    config: v.object({ transformer: VarConfig, tokenizer: v.looseObject({ kind: v.literal('vqvae'), downsample: positive }) }),
  }),
  v.object({
    ...common,
    family: v.literal('controlar'),
    config: v.object({ transformer: ControlArConfig, tokenizer: v.looseObject({ kind: v.literal('vq'), downsample: positive }) }),
  }),
]);
export type KnownCard = v.InferOutput<typeof KnownCard>;

const SomeText = v.variant('kind', [
  v.looseObject({
    kind: v.literal('words'),
    maxWords: positive,
    vocabulary: v.pipe(v.array(v.string()), v.maxLength(100_000)),
    examples: v.optional(v.pipe(v.array(v.string()), v.maxLength(32)), []),
    photoExamples: v.optional(v.pipe(v.array(v.string()), v.maxLength(32))),
  }),
  v.looseObject({ kind: v.literal('features'), width: positive, maxTokens: positive }),
  v.looseObject({ kind: v.literal('classes'), names: v.pipe(v.array(v.string()), v.maxLength(100_000)) }),
]);

/** Of a family that stands in its own folder alone: what all have is looked at here, the rest by the family when it opens the pack. */
const OtherCard = v.object({
  ...common,
  family: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/u, 'Expected the name of a family.')),
  traits: Traits,
  config: v.object({
    transformer: v.looseObject({
      depth: positive,
      width: positive,
      scales: v.pipe(v.array(Grid), v.minLength(1), v.maxLength(64)),
      text: SomeText,
      lateScales: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
    }),
    tokenizer: v.looseObject({ kind: v.pipe(v.string(), v.maxLength(32)), downsample: positive }),
  }),
});
export type OtherCard = v.InferOutput<typeof OtherCard>;

const KNOWN: readonly string[] = KnownCard.options.map(({ entries }) => entries.family.literal);

/** What a folder of weights that draw says about itself (`card.json`). */
export const PackCard = v.lazy((input): typeof KnownCard | typeof OtherCard => (KNOWN.includes(familyIn(input)) ? KnownCard : OtherCard));
export type PackCard = v.InferOutput<typeof PackCard>;
export type InfinityCard = Extract<PackCard, { family: 'infinity' }>;
export type VarCard = Extract<PackCard, { family: 'var' }>;
export type ControlArCard = Extract<PackCard, { family: 'controlar' }>;

/** The card of a depth model, which draws nothing: its maps are for packs that do. */
const DepthCard = v.object({ ...every, family: v.literal('depth'), config: v.object({ depth: DepthConfig }) });
export type DepthCard = v.InferOutput<typeof DepthCard>;

/** The card of a model that finds what is pointed at, which draws nothing either. */
const SegmenterCard = v.object({ ...every, family: v.literal('segmentation'), config: v.object({ segmenter: SegmenterConfig }) });
export type SegmenterCard = v.InferOutput<typeof SegmenterCard>;

/** Families of packs that help those that draw. */
const HELPERS = { depth: DepthCard, segmentation: SegmenterCard } as const;

/** Of any pack. */
export const AnyCard = v.lazy((input): typeof PackCard | typeof DepthCard | typeof SegmenterCard => {
  const family = familyIn(input);
  return drawsPictures({ family }) ? PackCard : HELPERS[family as keyof typeof HELPERS];
});
export type AnyCard = v.InferOutput<typeof AnyCard>;

export function isDepthCard(card: AnyCard): card is DepthCard {
  return card.family === 'depth';
}

export function isSegmenterCard(card: AnyCard): card is SegmenterCard {
  return card.family === 'segmentation';
}

/** Whether packs of its family draw; others make maps and masks for those that do. */
export function drawsPictures({ family }: { readonly family: string }): boolean {
  return !Object.hasOwn(HELPERS, family);
}

export function isDrawingCard(card: AnyCard): card is PackCard {
  return drawsPictures(card);
}

function familyIn(input: unknown): string {
  return typeof input === 'object' && input !== null && 'family' in input && typeof input.family === 'string' ? input.family : '';
}
