import { ExpectedError } from './errors.js';
import { PRESETS, type Preset } from './request.js';

/** What a run is expected to cost. */
export interface PresetCost {
  readonly ms: number;
  /** Peak of the process that computes. */
  readonly bytes: number;
  readonly layers: number;
}

/** Expected cost of a run on this machine, per depth preset. */
export interface Forecast extends Readonly<Record<Preset, PresetCost>> {
  /** What that process can have in all: what it holds already is counted in. */
  readonly availableBytes: number;
}

/** A run that needs more memory than there is for it. */
export interface MemoryLack {
  readonly neededBytes: number;
  readonly availableBytes: number;
  /** The heaviest of the lighter presets that fits; absent where none does. */
  readonly preset?: Preset;
}

/** Undefined where the preset fits. */
export function lackOf(forecast: Forecast, wished: Preset): MemoryLack | undefined {
  const { availableBytes } = forecast;
  const neededBytes = forecast[wished].bytes;
  if (neededBytes <= availableBytes) return undefined;
  const preset = PRESETS.slice(PRESETS.indexOf(wished) + 1).find((lighter) => forecast[lighter].bytes <= availableBytes);
  return { neededBytes, availableBytes, ...(preset !== undefined && { preset }) };
}

/** As it is told: what is needed and what there is, in whole megabytes that never look as if it fitted. */
export function lackInMegabytes({ neededBytes, availableBytes }: MemoryLack): readonly [needed: number, available: number] {
  return [Math.ceil(neededBytes / MEBIBYTE), Math.floor(availableBytes / MEBIBYTE)];
}

export function tooLittleMemory(lack: MemoryLack): ExpectedError {
  const [needed, available] = lackInMegabytes(lack);
  const suggestion = lack.preset === undefined ? '' : `; try the preset "${lack.preset}"`;
  return new ExpectedError(
    'memory.too-little',
    `This needs ${String(needed)} MB of memory but there are only ${String(available)} MB for it${suggestion}.`,
    { details: { ...lack } },
  );
}

const MEBIBYTE = 1024 * 1024;
