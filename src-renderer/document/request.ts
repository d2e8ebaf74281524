import type { ControlSettings, EditRequestInput, Margins, PictureId, Preset, ProviderChoice } from '#contract/request.js';
import { hasMargins, NO_MARGINS } from './space.js';

export type Verb = 'edit' | 'fill' | 'expand';

/** What the panels hold; the request follows from it. */
export interface Settings {
  readonly instruction: string;
  readonly preset: Preset;
  readonly margins: Margins;
  readonly control: { readonly kind: 'none' | ControlSettings['kind']; readonly strength: number };
  readonly pack: string;
  readonly provider: ProviderChoice;
  readonly seed: number;
  /** Absent = the pack's own. */
  readonly guidance: number | undefined;
  readonly temperature: number | undefined;
  /** The first scales that keep the source's own tokens. */
  readonly structure: number;
}

export const DEFAULT_SETTINGS: Settings = {
  instruction: '',
  preset: 'balanced',
  margins: NO_MARGINS,
  control: { kind: 'none', strength: 1 },
  pack: 'sketch',
  provider: 'auto',
  seed: 0,
  guidance: undefined,
  temperature: undefined,
  structure: 0,
};

/** One button, whose verb follows from what is there: a border to grow, a mask to fill, words to follow. */
export function verbOf({ margins, instruction }: Pick<Settings, 'margins' | 'instruction'>, masked: boolean): Verb {
  if (hasMargins(margins)) return 'expand';
  return masked && instruction.trim() === '' ? 'fill' : 'edit';
}

export interface RequestPictures {
  readonly source: PictureId;
  readonly mask: PictureId | undefined;
}

/** The one value that says the whole wish. An expansion paints its own border: a brushed mask has no part in it. */
export function requestOf(settings: Settings, { source, mask }: RequestPictures): EditRequestInput {
  const { control, guidance, temperature, margins, instruction, pack, preset, seed, structure, provider } = settings;
  const task = verbOf(settings, mask !== undefined);
  return {
    task,
    pack,
    source,
    instruction,
    preset,
    seed,
    structure,
    provider,
    ...(task === 'expand' && { margins }),
    ...(task !== 'expand' && mask !== undefined && { mask }),
    ...(control.kind !== 'none' && { control: { kind: control.kind, strength: control.strength } }),
    ...(guidance !== undefined && { guidance }),
    ...(temperature !== undefined && { temperature }),
  };
}
