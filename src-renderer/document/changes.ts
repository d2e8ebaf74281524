import { DEFAULT_SETTINGS, type Settings } from './request.js';

/** One change of what the panels hold: the members that differ, as they were and as they are from then on. */
export interface Change {
  readonly was: Partial<Settings>;
  readonly is: Partial<Settings>;
  /** How many steps the mask had: those came before. */
  readonly mask: number;
}

/** What was changed while a picture was open; undoing is leaving out the end. */
export interface Changes {
  readonly steps: readonly Change[];
  /** Those that count; the ones behind can be redone. */
  readonly length: number;
}

export const NO_CHANGES: Changes = { steps: [], length: 0 };

/** Undefined where nothing differs. A map of one's own is a picture, not a setting: it is not part of a change. */
export function changeBetween(before: Settings, after: Settings, mask: number): Change | undefined {
  const [old, now] = [withoutMap(before), withoutMap(after)];
  const keys = (Object.keys(now) as (keyof Settings)[]).filter((key) => JSON.stringify(old[key]) !== JSON.stringify(now[key]));
  return keys.length === 0 ? undefined : { was: only(old, keys), is: only(now, keys), mask };
}

export function withChange({ steps, length }: Changes, change: Change): Changes {
  return { steps: [...steps.slice(0, length), change], length: length + 1 };
}

/** Without what could be redone. */
export function settled(changes: Changes): Changes {
  const { steps, length } = changes;
  return length === steps.length ? changes : { steps: steps.slice(0, length), length };
}

/** The settings as they were before a change, or are after it; all others stay. What a change does not say was left to the pack. */
export function turned(now: Settings, { was, is }: Change, side: 'was' | 'is'): Settings {
  const wanted = side === 'was' ? was : is;
  const keys = Object.keys({ ...was, ...is }) as (keyof Settings)[];
  const control = wanted.control && { ...DEFAULT_SETTINGS.control, ...wanted.control, map: now.control.map };
  return { ...now, ...only(wanted, keys), ...(control && { control }) };
}

function withoutMap(settings: Settings): Settings {
  return { ...settings, control: { ...settings.control, map: undefined } };
}

function only(settings: Partial<Settings>, keys: readonly (keyof Settings)[]): Partial<Settings> {
  return Object.fromEntries(keys.map((key) => [key, settings[key]]));
}
