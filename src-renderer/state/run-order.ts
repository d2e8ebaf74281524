import { sameExtent, type Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { HeldSources, MaskHistory } from '#contract/mask.js';
import { paintedPng } from '#canvas/mask-file.js';
import { requestOf, type RequestPictures, type Settings, type Verb } from '#document/request.js';
import type { Margins, PictureId } from '#contract/request.js';
import type { Mask } from './mask.svelte.js';
import type { StripContents } from './scale-strip.svelte.js';
import type { Detour } from './sheets.js';

/** All that a run is told, as it was when it was asked for: values alone, which outlive the window. */
export interface RunOrder {
  readonly verb: Verb;
  readonly settings: Settings;
  /** Of the picture that it was asked for on: the pixels in which the masks lie. */
  readonly size: Extent;
  /** Where to repaint; absent = nothing was painted. */
  readonly mask?: MaskHistory | undefined;
  readonly copied?: HeldSources | undefined;
  readonly anew?: RequestPictures['anew'];
  /** What is painted goes, and what comes of it is kept as a step. */
  readonly removes?: true | undefined;
}

/** An order that waits for its turn; without a detour it begins and ends as it says, with a seed that was not drawn yet. */
export interface QueuedRun {
  readonly order: RunOrder;
  readonly detour?: Detour | undefined;
}

export interface Running {
  readonly order: RunOrder;
  readonly controller: AbortController;
  readonly margins: Margins;
  readonly detour: Detour;
  readonly map: Settings['control']['map'];
  /** What the strip showed, in case the run comes to nothing. */
  readonly strip: StripContents;
  readonly ended: Promise<void>;
}

/** What is painted of an order, as files. */
interface PaintedFiles {
  readonly mask: Blob | undefined;
  readonly sources: { readonly png: Blob; readonly only: boolean } | undefined;
}

/** Throws `mask.size` where the picture has become another one. `mask` is what is painted now, which need not be painted again. */
export async function paintedOf({ verb, size, mask, copied }: RunOrder, now: Mask, extent: Extent): Promise<PaintedFiles> {
  const repaints = verb === 'expand' ? undefined : mask;
  if ((repaints ?? copied) && !sameExtent(size, extent))
    throw new ExpectedError('mask.size', 'Expected the picture that was painted on but received one of another size.');
  const sources = copied && (await paintedPng(copied.history, size));
  return {
    mask: repaints && (await (repaints === now.repaint ? now.repaintPng() : paintedPng(repaints, size))),
    sources: sources && { png: sources, only: copied.use === 'only' },
  };
}

/** An order without its seed and number, as a text: two of one text are answered by the same pictures. */
export function textOf({ settings, mask, anew }: Pick<RunOrder, 'settings' | 'mask' | 'anew'>, source: PictureId): string {
  return JSON.stringify(requestOf({ ...settings, seed: 0, count: 1 }, { source, mask: mask && 'mask', anew }));
}
