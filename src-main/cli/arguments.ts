import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ExpectedError } from '#contract/errors.js';
import type { Extent } from '#base/geometry.js';

export type OptionTable = NonNullable<ParseArgsConfig['options']>;

/** Options of every command. */
export const JSON_OPTION = { json: { type: 'boolean', default: false } } as const satisfies OptionTable;

export interface CommandLine<O extends OptionTable> {
  readonly args: readonly string[];
  readonly options: O;
  /** Names of the plain arguments; `?` at the end makes one optional, `…` takes one or more. */
  readonly positionals: readonly string[];
}

type Parsed<O extends OptionTable> = ReturnType<typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>>;

/** Parses strictly. Throws `request.invalid` with one line for anything unknown, missing or too much. */
export function parseCommandLine<O extends OptionTable>({ args, options, positionals }: CommandLine<O>): Parsed<O> {
  const parsed = parseStrictly(args, options);
  expectPositionals(parsed.positionals, positionals);
  return parsed;
}

function parseStrictly<O extends OptionTable>(args: readonly string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: withNegative(args), options, allowPositionals: true, strict: true });
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
    const [sentence = line] = line.split(/\.\s/u);
    throw refused(`${sentence.replace(/\.$/u, '')}.`, cause);
  }
}

/** `--seed -1`: a number below 0 is the value of the option before it, never an option. */
function withNegative(args: readonly string[]): string[] {
  return args.reduce<string[]>((joined, arg) => {
    const before = joined.at(-1);
    if (!/^-\d/u.test(arg) || before?.startsWith('--') !== true || before === '--' || before.includes('=')) return [...joined, arg];
    return [...joined.slice(0, -1), `${before}=${arg}`];
  }, []);
}

function expectPositionals(received: readonly string[], names: readonly string[]): void {
  const required = names.filter((name) => !name.endsWith('?'));
  const missing = required[received.length];
  if (missing !== undefined) throw refused(`Expected ${missing.replace('…', '')} but received nothing.`);
  if (names.at(-1)?.endsWith('…') === true) return;
  const extra = received[names.length];
  if (extra !== undefined) throw refused(`Expected nothing after ${names.at(-1) ?? 'the command'} but received ${JSON.stringify(extra)}.`);
}

export function refused(sentence: string, cause?: unknown): ExpectedError {
  return new ExpectedError('request.invalid', sentence, { cause });
}

/** The text of an option that the command cannot do without. */
export function required(text: string | undefined, option: string): string {
  if (text === undefined || text === '') throw refused(`Expected ${option} but received nothing.`);
  return text;
}

/** A decimal number; its range is the contract's business. */
export function numberOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(text))
    throw refused(`Expected a number for ${option} but received ${JSON.stringify(text)}.`);
  return Number(text);
}

/** The number that an option holds, which is named once: to be read, and in what is said of it. */
export function numberIn<O extends string>(values: Readonly<Partial<Record<O, string | undefined>>>, option: O): number | undefined {
  return numberOf(values[option], `--${option}`);
}

/** `WxH` in pixels. */
export function sizeOf(text: string | undefined, option: string): Extent | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,6})x(\d{1,6})$/iu.exec(text);
  if (match === null) throw refused(`Expected WIDTHxHEIGHT for ${option} but received ${JSON.stringify(text)}.`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

export interface ScaleRange {
  readonly fromScale: number;
  readonly toScale: number;
}

/** `A-B`, 1-based and inclusive. */
export function scaleRangeOf(text: string | undefined, option: string): ScaleRange | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,3})-(\d{1,3})$/u.exec(text);
  const range = { fromScale: Number(match?.[1]), toScale: Number(match?.[2]) };
  if (match === null || range.fromScale > range.toScale)
    throw refused(`Expected FROM-TO for ${option} but received ${JSON.stringify(text)}.`);
  return range;
}

/** `SCALE:SHARE` */
export function redrawOf(text: string | undefined, option: string): { readonly scale: number; readonly share: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,3}):(\d?\.?\d{1,6})$/u.exec(text);
  if (match === null) throw refused(`Expected SCALE:SHARE for ${option} but received ${JSON.stringify(text)}.`);
  return { scale: Number(match[1]), share: Number(match[2]) };
}

/** One of a few words. */
export function wordOf<W extends string>(text: string, words: readonly W[], option: string): W {
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) throw refused(`Expected ${words.join(', ')} for ${option} but received ${JSON.stringify(text)}.`);
  return word;
}

/** The word that an option holds. */
export function wordIn<O extends string, W extends string>(
  values: Readonly<Partial<Record<O, string | undefined>>>,
  option: O,
  words: readonly W[],
): W | undefined {
  const text = values[option];
  return text === undefined ? undefined : wordOf(text, words, `--${option}`);
}
