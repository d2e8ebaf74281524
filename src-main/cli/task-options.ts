import { ExpectedError } from '#contract/errors.js';
import { randomInt } from 'node:crypto';
import type { EditRequestInput, OutputFormat, Task } from '#contract/request.js';
import { OUTPUT_PROFILES, SHARPENINGS } from '#contract/adaptation.js';
import { CONTROL_KINDS, PRESETS, PROVIDERS, type ControlKind } from '#contract/request.js';
import type { Context } from './command.js';
import { JSON_OPTION, numberIn, numberOf, redrawOf, scaleRangeOf, sizeOf, wordIn, type OptionTable } from './arguments.js';

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

/** The seed that asks for another one every time. */
const DRAWN_SEED = '-1';

/** Options that every kind of edit takes. */
export const TASK_OPTIONS = {
  ...JSON_OPTION,
  instruction: { type: 'string', short: 'i' },
  class: text,
  mask: { type: 'string', short: 'm' },
  output: { type: 'string', short: 'o' },
  left: text,
  right: text,
  top: text,
  bottom: text,
  size: text,
  pack: text,
  preset: text,
  control: text,
  'control-kind': text,
  'depth-pack': text,
  strength: text,
  scales: text,
  low: text,
  high: text,
  blur: text,
  near: text,
  far: text,
  invert: flag,
  structure: text,
  'scale-count': text,
  'model-side': text,
  blend: text,
  opacity: text,
  detail: text,
  'no-copy': text,
  'copy-only': text,
  guidance: text,
  'guidance-until': text,
  temperature: text,
  'top-k': text,
  'top-p': text,
  argmax: flag,
  redraw: text,
  'redraw-seed': text,
  seed: text,
  count: { type: 'string', short: 'n' },
  whole: flag,
  padded: flag,
  provider: text,
  previews: text,
  'tokens-out': text,
  'force-tokens': text,
  'logits-out': text,
  crop: text,
  straighten: text,
  turn: text,
  flip: flag,
  quality: text,
  resize: text,
  sharpen: text,
  profile: text,
  'no-recipe': flag,
  'strip-location': flag,
  smallest: flag,
} as const satisfies OptionTable;

type OptionName = keyof typeof TASK_OPTIONS;
type ValueOf<N extends OptionName> = (typeof TASK_OPTIONS)[N]['type'] extends 'boolean' ? boolean : string;
/** The values of a command line; a task that does not take an option leaves it absent. */
export type TaskValues = { readonly [N in OptionName]?: ValueOf<N> | undefined };

const EVERY_TASK: readonly OptionName[] = [
  'json',
  'instruction',
  'output',
  'pack',
  'preset',
  'control',
  'control-kind',
  'depth-pack',
  'strength',
  'scales',
  'low',
  'high',
  'blur',
  'near',
  'far',
  'invert',
  'structure',
  'scale-count',
  'model-side',
  'blend',
  'guidance',
  'guidance-until',
  'temperature',
  'top-k',
  'top-p',
  'argmax',
  'redraw',
  'redraw-seed',
  'seed',
  'count',
  'provider',
  'previews',
  'tokens-out',
  'force-tokens',
  'logits-out',
  'quality',
  'resize',
  'sharpen',
  'profile',
  'no-recipe',
  'strip-location',
  'smallest',
];

const DETAIL: readonly OptionName[] = ['detail', 'no-copy', 'copy-only'];
const FRAMING: readonly OptionName[] = ['crop', 'straighten', 'turn', 'flip'];

const OWN_OPTIONS: Readonly<Record<Exclude<Task, 'control'>, readonly OptionName[]>> = {
  edit: ['mask', 'whole', 'padded', 'opacity', ...DETAIL, ...FRAMING],
  fill: ['mask', 'whole', 'opacity', ...DETAIL, ...FRAMING],
  expand: ['left', 'right', 'top', 'bottom', 'whole', ...DETAIL, ...FRAMING],
  generate: ['size', 'class'],
};

/** The table for one task, so that `parseArgs` refuses what the task does not know. */
export function optionsOf(task: Exclude<Task, 'control'>): OptionTable {
  return Object.fromEntries([...EVERY_TASK, ...OWN_OPTIONS[task]].map((name) => [name, TASK_OPTIONS[name]]));
}

/** A batch takes what says how to edit, and nothing that names a file of one result. */
const OF_ONE_RESULT: readonly OptionName[] = ['no-copy', 'copy-only', 'previews', 'tokens-out', 'force-tokens', 'logits-out'];

export function batchOptions(): OptionTable {
  const names = [...EVERY_TASK, ...OWN_OPTIONS.fill, ...OWN_OPTIONS.expand].filter((name) => !OF_ONE_RESULT.includes(name));
  return Object.fromEntries(names.map((name) => [name, TASK_OPTIONS[name]]));
}

/** What the options ask for, as the window's button would say it: a border to grow, a mask to fill, words to follow. */
export function taskOf({ left, right, top, bottom, mask, instruction = '' }: TaskValues): Exclude<Task, 'control' | 'generate'> {
  if ([left, right, top, bottom].some((side) => side !== undefined)) return 'expand';
  return mask !== undefined && instruction.trim() === '' ? 'fill' : 'edit';
}

/** The options as the contract's wish, pictures aside. */
export function requestOf(task: Task, values: TaskValues, format: OutputFormat): EditRequestInput {
  return {
    task,
    ...present({
      pack: values.pack,
      instruction: values.class ?? values.instruction,
      preset: wordIn(values, 'preset', PRESETS),
      provider: wordIn(values, 'provider', PROVIDERS),
      detail: detailOf(values.detail),
      redraw: againOf(values),
      margins: task === 'expand' ? marginsOf(values) : undefined,
      size: sizeOf(values.size, '--size'),
    }),
    ...numbersOf(values),
    whole: values.whole ?? false,
    padded: values.padded ?? false,
    previews: values.previews !== undefined,
    output: outputOf(values, format),
  };
}

function outputOf(values: TaskValues, format: OutputFormat): NonNullable<EditRequestInput['output']> {
  const adapt = present({
    longSide: numberIn(values, 'resize'),
    sharpen: wordIn(values, 'sharpen', SHARPENINGS),
    profile: wordIn(values, 'profile', OUTPUT_PROFILES),
  });
  return {
    format,
    ...present({ quality: numberIn(values, 'quality') }),
    ...(Object.keys(adapt).length > 0 && { adapt }),
    recipe: values['no-recipe'] !== true,
    keepLocation: values['strip-location'] !== true,
    smallest: values.smallest ?? false,
  };
}

/** A seed that nobody chose has to be known to get the picture again. */
export function sayDrawnSeed(values: TaskValues, { seed }: EditRequestInput, { log }: Pick<Context, 'log'>): void {
  if (values.seed === DRAWN_SEED) log(`seed: ${String(seed)}`);
}

function numbersOf(values: TaskValues): Partial<EditRequestInput> {
  return present({
    structure: numberIn(values, 'structure'),
    scaleCount: numberIn(values, 'scale-count'),
    modelSide: numberIn(values, 'model-side'),
    blend: numberIn(values, 'blend'),
    opacity: numberIn(values, 'opacity'),
    guidance: numberIn(values, 'guidance'),
    guidanceUntil: numberIn(values, 'guidance-until'),
    topK: numberIn(values, 'top-k'),
    topP: numberIn(values, 'top-p'),
    temperature: values.argmax === true ? 0 : temperatureOf(values.temperature),
    seed: values.seed === DRAWN_SEED ? randomInt(2 ** 32) : numberIn(values, 'seed'),
    count: numberIn(values, 'count'),
  });
}

/** `--temperature T` or, from the first scale to the last, `T,T…` */
function temperatureOf(text: string | undefined): EditRequestInput['temperature'] {
  if (text?.includes(',') !== true) return numberOf(text, '--temperature');
  return text.split(',').map((value) => numberOf(value.trim(), '--temperature') ?? 0);
}

/** `--redraw SCALE:SHARE` and its seed. */
function againOf(values: TaskValues): EditRequestInput['redraw'] {
  const [redraw, seed] = [redrawOf(values.redraw, '--redraw'), numberIn(values, 'redraw-seed')];
  if (!redraw && seed !== undefined) throw new ExpectedError('request.invalid', 'Expected --redraw SCALE:SHARE beside --redraw-seed.');
  return redraw && { ...redraw, ...(seed !== undefined && { seed }) };
}

/** `--detail auto|off|0..3` */
function detailOf(text: string | undefined): EditRequestInput['detail'] {
  return text === 'auto' || text === 'off' ? text : numberOf(text, '--detail');
}

/** A mask of what detail is not to be copied from, or of all that it is. */
export interface CopyWish {
  readonly path: string;
  readonly only: boolean;
}

export function copyOf({ 'no-copy': without, 'copy-only': only }: TaskValues): CopyWish | undefined {
  if (without !== undefined && only !== undefined) {
    throw new ExpectedError('request.invalid', 'Expected one of --no-copy and --copy-only but received both.');
  }
  const path = without ?? only;
  return path === undefined ? undefined : { path, only: only !== undefined };
}

function marginsOf(values: TaskValues): NonNullable<EditRequestInput['margins']> {
  return present({
    left: numberIn(values, 'left'),
    right: numberIn(values, 'right'),
    top: numberIn(values, 'top'),
    bottom: numberIn(values, 'bottom'),
  });
}

export interface ControlWish {
  readonly kind: ControlKind;
  /** A file with a ready map. */
  readonly mapPath?: string;
  readonly settings: Omit<NonNullable<EditRequestInput['control']>, 'kind' | 'map'>;
}

/** `--control canny|depth|MAP.png` and its companions. */
export function controlOf(values: TaskValues): ControlWish | undefined {
  const { control } = values;
  if (control === undefined) return undefined;
  const own = present({ strength: numberIn(values, 'strength'), estimator: values['depth-pack'] });
  const settings = { ...own, ...scaleRangeOf(values.scales, '--scales'), ...mapSettingsOf(values) };
  if (control === 'canny' || control === 'depth') return { kind: control, settings };
  return { kind: wordIn(values, 'control-kind', CONTROL_KINDS) ?? 'canny', mapPath: control, settings };
}

/** How a map is made of a picture, or read. */
export function mapSettingsOf(values: Pick<TaskValues, 'low' | 'high' | 'blur' | 'near' | 'far' | 'invert'>) {
  return present({
    low: numberIn(values, 'low'),
    high: numberIn(values, 'high'),
    blur: numberIn(values, 'blur'),
    near: numberIn(values, 'near'),
    far: numberIn(values, 'far'),
    invert: values.invert,
  });
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the members that were not given: the contract's defaults take their place. */
function present<T extends Record<string, unknown>>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}
