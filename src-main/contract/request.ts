import * as v from 'valibot';
import { Adaptation } from './adaptation.js';
import { Framing, MOST_FRAMINGS } from './framing.js';

/** Names a picture that the service holds (its bytes travel over HTTP, never in messages). */
export const PictureId = v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/u, 'Expected a picture id.'));
export type PictureId = v.InferOutput<typeof PictureId>;

export const TASKS = ['edit', 'fill', 'expand', 'generate', 'control'] as const;
export const PRESETS = ['best', 'balanced', 'fast', 'draft'] as const;
export const PROVIDERS = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const;
export const OUTPUT_FORMATS = ['png', 'jpeg', 'webp', 'tiff', 'avif'] as const;

/** What a map may show. Edges and depth are made from a photograph; the others are given. */
export const CONTROL_KINDS = ['canny', 'depth', 'hed', 'lineart', 'segmentation', 'normal'] as const;
export type ControlKind = (typeof CONTROL_KINDS)[number];
/** Maps whose colours are names or directions; in all others brightness is an amount. */
export const COLOURED_MAPS: readonly ControlKind[] = ['segmentation', 'normal'];

export type Task = (typeof TASKS)[number];
export type Preset = (typeof PRESETS)[number];
export type ProviderChoice = (typeof PROVIDERS)[number];
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

function wholeNumber(name: string, min: number, max: number) {
  const words = `Expected a whole number from ${String(min)} to ${String(max)} for ${name}.`;
  return v.pipe(v.number(words), v.integer(words), v.minValue(min, words), v.maxValue(max, words));
}

function realNumber(name: string, min: number, max: number) {
  const words = `Expected a number from ${String(min)} to ${String(max)} for ${name}.`;
  return v.pipe(v.number(words), v.finite(words), v.minValue(min, words), v.maxValue(max, words));
}

const margin = (side: string) => v.optional(wholeNumber(side, 0, 16384), 0);

/** New border in pixels of the source, per side. */
export const Margins = v.object({ left: margin('left'), right: margin('right'), top: margin('top'), bottom: margin('bottom') });
export type Margins = v.InferOutput<typeof Margins>;

/** Spatial control (ControlAR): what to hold, how strongly, and at which scales (1-based, inclusive). */
export const ControlSettings = v.object({
  kind: v.picklist(CONTROL_KINDS),
  /** A ready map; without one it is made from the source, where it can be. */
  map: v.optional(PictureId),
  /** The pack whose depth estimator makes the map; absent = the drawing pack's own. */
  estimator: v.optional(v.pipe(v.string(), v.maxLength(128))),
  strength: v.optional(realNumber('strength', 0, 1), 1),
  fromScale: v.optional(wholeNumber('fromScale', 1, 64), 1),
  toScale: v.optional(wholeNumber('toScale', 1, 64), 64),
  low: v.optional(realNumber('low', 0, 1530), 100),
  high: v.optional(realNumber('high', 0, 1530), 200),
  /** Sigma of a blur before edges are looked for, in pixels of the picture that they are looked for in; 0 = none. */
  blur: v.optional(realNumber('blur', 0, 16), 0),
  /** What counts as nearest and as farthest, as shares of the depth that there is: the map is stretched between them. */
  near: v.optional(realNumber('near', 0, 1), 1),
  far: v.optional(realNumber('far', 0, 1), 0),
  invert: v.optional(v.boolean(), false),
});
export type ControlSettings = v.InferOutput<typeof ControlSettings>;

const CodebookIndex = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65535));
const Grid = v.tuple([wholeNumber('rows', 1, 512), wholeNumber('columns', 1, 512)]);

/** Parts of a mask that lie apart are runs of their own; a run of more would be one of hours. */
export const MOST_REGIONS = 64;

const ScaleRows = v.pipe(v.array(v.array(v.union([v.pipe(v.string(), v.regex(/^[0-9a-f]{1,32}$/u)), CodebookIndex]))), v.maxLength(64));

/**
 * Tokens of a picture: per scale, row-major, each token's bits packed as lower-case hex (bit 0 first, low nibble bit
 * first), or its index in the codebook.
 */
export const TokenFile = v.object({
  pack: v.string(),
  schedule: v.pipe(v.array(Grid), v.minLength(1), v.maxLength(64)),
  tokens: ScaleRows,
  /** Those of further parts of the picture, where a mask had several that lie apart. */
  regions: v.optional(v.pipe(v.array(ScaleRows), v.minLength(1), v.maxLength(MOST_REGIONS - 1))),
});
export type TokenFile = v.InferOutput<typeof TokenFile>;

/** The tokens of every part of a picture by themselves. */
export function partsOf({ pack, schedule, tokens, regions = [] }: TokenFile): readonly TokenFile[] {
  return [tokens, ...regions].map((rows) => ({ pack, schedule, tokens: rows }));
}

/** The tokens of the first `scales` scales, of every part of the picture. */
export function firstScales({ pack, schedule, tokens, regions }: TokenFile, scales: number): TokenFile {
  const further = regions?.map((rows) => rows.slice(0, scales));
  return { pack, schedule: [...schedule], tokens: tokens.slice(0, scales), ...(further && { regions: further }) };
}

export const DEFAULT_PACK = 'studio';

/** What a painted part says of the pixels that detail is copied from. */
export const CopySources = v.object({
  mask: PictureId,
  /** White is all that is copied from, instead of what is not. */
  only: v.optional(v.boolean(), false),
});
export type CopySources = v.InferOutput<typeof CopySources>;

/** The most that the model can lead the detail scales. */
export const MOST_LEAD = 3;
/** A photograph of the largest side has so many scales above a tokenizer of 16 pixels. */
const MOST_DETAIL_SCALES = 16;

/** How a picture is written. */
const Output = v.object({
  format: v.picklist(OUTPUT_FORMATS),
  quality: v.optional(wholeNumber('quality', 1, 100), 92),
  /** The request and its tokens are written into the file. */
  recipe: v.optional(v.boolean(), false),
  /** Where the photograph was taken stays in its EXIF. */
  keepLocation: v.optional(v.boolean(), true),
  /** Of the same picture as few bytes as can be, whatever time that takes. */
  smallest: v.optional(v.boolean(), false),
  /** Made ready for where it will be seen; absent = as it is. */
  adapt: v.optional(Adaptation),
  /** How the photograph was turned and cut before, for its recipe. */
  framings: v.optional(v.pipe(v.array(Framing), v.maxLength(MOST_FRAMINGS))),
});

const CURVE_LENGTH = 'Expected 1 to 64 numbers for temperature.';
const Curve = v.pipe(v.array(realNumber('temperature', 0, 10)), v.minLength(1, CURVE_LENGTH), v.maxLength(64, CURVE_LENGTH));

/**
 * The temperature of every scale, or a curve over the scales: its first value belongs to the first scale, its last to the
 * last, and between its values it is straight. A curve that stays level is one temperature.
 */
export const Temperature = v.pipe(
  v.union([realNumber('temperature', 0, 10), Curve], 'Expected a number from 0 to 10, or up to 64 of them, for temperature.'),
  v.transform((wished) => (Array.isArray(wished) && wished.every((value) => value === wished[0]) ? (wished[0] ?? 0) : wished)),
);
export type Temperature = v.InferOutput<typeof Temperature>;

const SHARE = 'Expected a number above 0 and up to 1 for share.';

/**
 * The least certain tokens of a scale (1-based), drawn once more: so many of them, as a share, with random numbers of their own.
 * Coarser scales and the other tokens of this one stay as they were, finer ones follow from what is there then.
 */
export const Redraw = v.object({
  scale: wholeNumber('scale', 1, 64),
  share: v.pipe(v.number(SHARE), v.gtValue(0, SHARE), v.maxValue(1, SHARE)),
  /** Absent = the seed of the run; candidates count on from it, and differ in nothing else. */
  seed: v.optional(wholeNumber('seed', 0, 0xffff_ffff)),
});
export type Redraw = v.InferOutput<typeof Redraw>;

/** One value that says the whole wish: a setting that changes the picture and is not here is a bug. */
export const EditRequest = v.object({
  task: v.picklist(TASKS),
  pack: v.optional(v.string(), DEFAULT_PACK),
  source: v.optional(PictureId),
  mask: v.optional(PictureId),
  instruction: v.optional(v.string(), ''),
  margins: v.optional(Margins),
  control: v.optional(ControlSettings),
  /** Structure lock: the first k scales keep the source's own tokens. */
  structure: v.optional(wholeNumber('structure', 0, 64), 0),
  /** In how many scales the picture is drawn, by packs that leave the choice; absent = the pack's own. */
  scaleCount: v.optional(wholeNumber('scaleCount', 1, 64)),
  /** Side in pixels of the square that the model draws, by packs that leave the choice (other shapes: of as much area); absent = the pack's own. */
  modelSide: v.optional(wholeNumber('modelSide', 1, 4096)),
  preset: v.optional(v.picklist(PRESETS), 'balanced'),
  /** Classifier-free guidance on logits; 1 = off; absent = the pack's own. */
  guidance: v.optional(realNumber('guidance', 0, 30)),
  /** Scales behind this one (1-based) run without guidance, at half the work; absent = the pack's own. */
  guidanceUntil: v.optional(wholeNumber('guidanceUntil', 1, 64)),
  /** 0 = arg-max; absent = the pack's own for this task. */
  temperature: v.optional(Temperature),
  /** Absent = the pack's own. */
  topP: v.optional(realNumber('topP', 0, 1)),
  /** Of a codebook's entries, only so many of the likeliest are drawn; 0 = all; absent = the pack's own. */
  topK: v.optional(wholeNumber('topK', 0, 65536)),
  seed: v.optional(wholeNumber('seed', 0, 0xffff_ffff), 0),
  count: v.optional(wholeNumber('count', 1, 16), 1),
  /** Size of a generated picture in pixels; absent = the pack's own. */
  size: v.optional(v.object({ width: wholeNumber('width', 16, 16384), height: wholeNumber('height', 16, 16384) })),
  /** Take the model's picture as it is instead of touching only what changed. */
  whole: v.optional(v.boolean(), false),
  /** Show an unmasked source as VAREdit's published code does, on a white square, instead of in the nearest published shape. */
  padded: v.optional(v.boolean(), false),
  /** Width in source pixels of the soft edge between old and new pixels; absent = chosen from the size. */
  blend: v.optional(realNumber('blend', 0, 512)),
  /** How strongly the result lies over the source: 0 = not at all, 1 = as it was made. */
  opacity: v.optional(realNumber('opacity', 0, 1), 1),
  provider: v.optional(v.picklist(PROVIDERS), 'auto'),
  /** Also show the picture after every scale. */
  previews: v.optional(v.boolean(), true),
  /** Stop after this scale (1-based); the result is that scale's picture, and its tokens continue exactly. */
  stopAtScale: v.optional(wholeNumber('stopAtScale', 1, 64)),
  /** Tokens to begin with: continue a stopped run, or branch from scale `tokens.length`. */
  resume: v.optional(TokenFile),
  /** Of given tokens, those of finer scales are drawn anew. Only for packs that can tell how certain a token is. */
  redraw: v.optional(Redraw),
  /**
   * The scales behind the tokenizer's last, up to the photograph's own resolution: what is drawn anew is written with the
   * photograph's own pixels. A number says how far the model's picture leads them; `auto` knows it by pack and task.
   */
  detail: v.optional(
    v.union([v.picklist(['auto', 'off']), realNumber('detail', 0, MOST_LEAD)], 'Expected auto, off or a number from 0 to 3 for detail.'),
    'auto',
  ),
  /** Stop after this detail scale (1-based); the result is that scale's picture, enlarged. Asked again without it, the run goes on as if it had never stopped. */
  stopAtDetail: v.optional(wholeNumber('stopAtDetail', 1, MOST_DETAIL_SCALES)),
  /**
   * Seeds of the detail scales, coarse to fine; the last one holds for all that follow, and candidates differ from there on.
   * Absent = the seed of the run. Another last seed is another try from that scale: what is coarser comes out as before.
   */
  detailSeeds: v.optional(v.pipe(v.array(wholeNumber('detailSeeds', 0, 0xffff_ffff)), v.minLength(1), v.maxLength(MOST_DETAIL_SCALES))),
  /** Where detail may be copied from; absent = from everywhere. */
  copy: v.optional(CopySources),
  output: v.optional(Output, { format: 'png' }),
});
export type EditRequest = v.InferOutput<typeof EditRequest>;
export type EditRequestInput = v.InferInput<typeof EditRequest>;

/** The re-roll of one of several candidates. */
export function redrawOf(
  { redraw, seed = 0 }: Pick<EditRequestInput, 'redraw' | 'seed'>,
  candidate: number,
): (Redraw & { seed: number }) | undefined {
  return redraw && { ...redraw, seed: ((redraw.seed ?? seed) + candidate) >>> 0 };
}
