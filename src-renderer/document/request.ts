import type { ControlSettings, EditRequestInput, Margins, PictureId, Preset, ProviderChoice } from '#contract/request.js';

export type Verb = 'edit' | 'fill' | 'expand';

/** What the panels hold; the request follows from it. */
export interface Settings {
  readonly instruction: string;
  readonly preset: Preset;
  readonly margins: Margins;
  readonly control: { readonly kind: 'none' | ControlSettings['kind']; readonly strength: number };
  readonly seed: number;
  /** Absent = the pack's own. */
  readonly guidance: number | undefined;
  readonly temperature: number | undefined;
  readonly structure: number;
  readonly provider: ProviderChoice;
}

export const DEFAULT_SETTINGS: Settings = {
  instruction: '',
  preset: 'balanced',
  margins: { left: 0, right: 0, top: 0, bottom: 0 },
  control: { kind: 'none', strength: 1 },
  seed: 0,
  guidance: undefined,
  temperature: undefined,
  structure: 0,
  provider: 'auto',
};

/** One button, whose verb follows from what is there: a border to grow, a mask to fill, words to follow. */
export function verbOf({ margins, instruction }: Pick<Settings, 'margins' | 'instruction'>, masked: boolean): Verb {
  if (margins.left + margins.right + margins.top + margins.bottom > 0) return 'expand';
  return masked && instruction.trim() === '' ? 'fill' : 'edit';
}

export function requestOf(
  settings: Settings,
  pictures: { readonly source: PictureId; readonly mask: PictureId | undefined },
): EditRequestInput {
  const task = verbOf(settings, pictures.mask !== undefined);
  const { control, guidance, temperature, margins, instruction, preset, seed, structure, provider } = settings;
  return {
    task,
    source: pictures.source,
    instruction,
    preset,
    seed,
    structure,
    provider,
    ...(task === 'expand' && { margins }),
    ...(task !== 'expand' && pictures.mask !== undefined && { mask: pictures.mask }),
    ...(control.kind !== 'none' && { control: { kind: control.kind, strength: control.strength } }),
    ...(guidance !== undefined && { guidance }),
    ...(temperature !== undefined && { temperature }),
  };
}
