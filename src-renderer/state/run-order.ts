import type { MaskHistory } from '#contract/mask.js';
import { requestOf, type RequestPictures, type Settings, type Verb } from '#document/request.js';
import type { PictureId } from '#contract/request.js';

/** What is painted of a wish, as files. */
export interface PaintedFiles {
  readonly mask?: Blob | undefined;
  readonly sources?: { readonly png: Blob; readonly only: boolean } | undefined;
}

/** All that a run is told, as it was when it was asked for. */
export interface RunOrder {
  readonly verb: Verb;
  readonly settings: Settings;
  readonly masked: boolean;
  readonly anew: RequestPictures['anew'];
  readonly painted: () => Promise<PaintedFiles>;
  /** Whatever is painted otherwise, this is removed, and kept as a step. */
  readonly removes?: MaskHistory;
}

/** An order without its seed and number, as a text: two of one text are answered by the same pictures. */
export function textOf({ settings, masked, anew }: Omit<RunOrder, 'painted' | 'verb'>, source: PictureId): string {
  return JSON.stringify(requestOf({ ...settings, seed: 0, count: 1 }, { source, mask: masked ? 'mask' : undefined, anew }));
}
