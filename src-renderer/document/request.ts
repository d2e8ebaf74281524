import type { Extent } from '#base/geometry.js';
import {
  DEFAULT_PACK,
  type ControlSettings,
  type EditRequestInput,
  type Margins,
  type PictureId,
  type Preset,
  type ProviderChoice,
  type Temperature,
} from '#contract/request.js';
import type { Recipe } from '#contract/recipe.js';
import { hasMargins, NO_MARGINS } from './space.js';

export type Verb = 'edit' | 'fill' | 'expand' | 'generate';

/** Scales are 1-based; absent = to the last. */
export interface ControlChoice {
  readonly kind: 'none' | ControlSettings['kind'];
  readonly strength: number;
  readonly fromScale: number;
  readonly toScale: number | undefined;
  /** Thresholds of the edges. */
  readonly low: number;
  readonly high: number;
  /** Of the picture, before its edges are looked for. */
  readonly blur: number;
  /** Shares of the depth that count as nearest and farthest. */
  readonly near: number;
  readonly far: number;
  /** The pack that estimates depth; absent = the one that draws. */
  readonly estimator: string | undefined;
  readonly invert: boolean;
  /** A map of the user's own, held by the service. */
  readonly map: { readonly id: PictureId; readonly name: string } | undefined;
}

/** What the panels hold; the request follows from it. */
export interface Settings {
  readonly instruction: string;
  readonly preset: Preset;
  readonly margins: Margins;
  readonly control: ControlChoice;
  readonly pack: string;
  readonly provider: ProviderChoice;
  readonly seed: number;
  /** Absent = the pack's own. */
  readonly guidance: number | undefined;
  readonly guidanceUntil: number | undefined;
  /** Several = a curve from the first scale to the last. */
  readonly temperature: Temperature | undefined;
  readonly topP: number | undefined;
  readonly topK: number | undefined;
  /** Of packs that leave the choice. */
  readonly scaleCount: number | undefined;
  readonly modelSide: number | undefined;
  /** How many pictures of one wish; absent = as many as are liked. */
  readonly count: number | undefined;
  /** Take the model's picture as it is. */
  readonly whole: boolean;
  /** Show the model all of an unmasked picture as its published code does: on a white square. */
  readonly padded: boolean;
  /** Soft edge in source pixels. */
  readonly blend: number | undefined;
  /** How strongly the result lies over the picture, 0..1. */
  readonly opacity: number;
  /** The first scales that keep the source's own tokens. */
  readonly structure: number;
  /** Whether, and how far led by the model, what is new is written with the photograph's own pixels. */
  readonly detail: Detail;
}

export type Detail = NonNullable<EditRequestInput['detail']>;

export const DEFAULT_SETTINGS: Settings = {
  instruction: '',
  preset: 'balanced',
  margins: NO_MARGINS,
  control: {
    kind: 'none',
    strength: 1,
    fromScale: 1,
    toScale: undefined,
    low: 100,
    high: 200,
    blur: 0,
    near: 1,
    far: 0,
    estimator: undefined,
    invert: false,
    map: undefined,
  },
  pack: DEFAULT_PACK,
  provider: 'auto',
  seed: 0,
  guidance: undefined,
  guidanceUntil: undefined,
  temperature: undefined,
  topP: undefined,
  topK: undefined,
  scaleCount: undefined,
  modelSide: undefined,
  count: undefined,
  whole: false,
  padded: false,
  blend: undefined,
  opacity: 1,
  structure: 0,
  detail: 'auto',
};

/** Numbers that are the pack's own, or chosen from the size, where nothing is said. */
const OWN = [
  'guidance',
  'guidanceUntil',
  'temperature',
  'topP',
  'topK',
  'scaleCount',
  'modelSide',
  'blend',
] as const satisfies readonly (keyof Settings)[];
type OwnNumbers = Pick<Settings, (typeof OWN)[number]>;

/** More than any pack has; what the contract takes "to the last" for. */
const MOST_SCALES = 64;

/** What is on the table: a painted mask, and nothing to keep of the picture. */
export interface Table {
  readonly masked: boolean;
  /** An empty sheet, or a pack that only draws. */
  readonly anew: boolean;
}

/** One button, whose verb follows from what is there: nothing yet, a border to grow, a mask to fill, words to follow. */
export function verbOf({ margins, instruction }: Pick<Settings, 'margins' | 'instruction'>, { masked, anew }: Table): Verb {
  if (anew) return 'generate';
  if (hasMargins(margins)) return 'expand';
  return masked && instruction.trim() === '' ? 'fill' : 'edit';
}

export interface RequestPictures {
  readonly source: PictureId;
  readonly mask: PictureId | undefined;
  /** What detail is not to be copied from, or all that it is. */
  readonly copy?: EditRequestInput['copy'];
  /** The source's, where a picture is drawn anew in its place. */
  readonly anew?: { readonly size: Extent; readonly blank: boolean } | undefined;
}

/** The one value that says the whole wish. An expansion paints its own border: a brushed mask has no part in it. */
export function requestOf(settings: Settings, pictures: RequestPictures): EditRequestInput {
  const { instruction, pack, preset, seed, structure, provider, count, whole, padded } = settings;
  const task = verbOf(settings, { masked: pictures.mask !== undefined, anew: pictures.anew !== undefined });
  return {
    task,
    pack,
    instruction,
    preset,
    seed,
    structure,
    provider,
    count: count ?? 1,
    whole,
    ...picturesOf(task, settings, pictures),
    ...controlOf(settings),
    ...(settings.opacity !== 1 && (task === 'edit' || task === 'fill') && { opacity: settings.opacity }),
    ...(task !== 'generate' && settings.detail !== 'auto' && { detail: settings.detail }),
    ...(task !== 'generate' && pictures.copy && { copy: pictures.copy }),
    ...(padded && task === 'edit' && pictures.mask === undefined && { padded }),
    ...given(Object.fromEntries(OWN.map((name) => [name, settings[name]]))),
  };
}

function picturesOf(task: Verb, { margins, control }: Settings, { source, mask, anew }: RequestPictures): Partial<EditRequestInput> {
  if (task === 'expand') return { source, margins };
  if (!anew) return { source, ...(mask !== undefined && { mask }) };
  // Of a photograph in whose place a picture is drawn, only its edges or depth are asked for.
  const guides = control.kind !== 'none' && !control.map && !anew.blank;
  return guides ? { source } : { size: anew.size };
}

function controlOf({ control }: Settings): Partial<EditRequestInput> {
  const { kind, toScale, map, estimator, ...settings } = control;
  if (kind === 'none') return {};
  const estimated = kind === 'depth' && !map && estimator !== undefined;
  return {
    control: { ...settings, kind, ...(toScale !== undefined && { toScale }), ...(map && { map: map.id }), ...(estimated && { estimator }) },
  };
}

/** The settings that lead to a wish again; a map of one's own is not part of it. */
export function settingsOf({ request, seed }: Pick<Recipe, 'request' | 'seed'>): Partial<Settings> {
  const { instruction, preset, pack, provider, whole, padded, structure, detail, opacity } = { ...DEFAULT_SETTINGS, ...given(request) };
  const margins = { ...NO_MARGINS, ...given(request.margins) };
  const control = controlChoiceOf(request.control);
  const own = Object.fromEntries(OWN.map((name) => [name, request[name]])) as unknown as OwnNumbers;
  return { instruction, preset, margins, control, pack, provider, seed, whole, padded, structure, detail, opacity, ...own };
}

/** Without the members that nothing is said of. */
function given<T extends object>(members: T | undefined): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members ?? {}).filter(([, value]) => value !== undefined)) as never;
}

function controlChoiceOf(control: Recipe['request']['control']): ControlChoice {
  const none = DEFAULT_SETTINGS.control;
  if (!control) return none;
  const { toScale, map: _map, ...settings } = control;
  const last = toScale === undefined || toScale >= MOST_SCALES;
  return { ...none, ...given(settings), toScale: last ? undefined : toScale, map: undefined };
}
