import { ipcMain, type WebContents, type WebFrameMain } from 'electron';
import * as v from 'valibot';
import { STUDIO, type PAGE_CHANNELS } from '#contract/desktop.js';
import { LANGUAGE_TAGS } from '#contract/preferences.js';
import { PictureId } from '#contract/request.js';
import type { Log } from './log.js';

/** What each message of the page holds: one short text, or the message is none. A gap does not compile. */
const MESSAGES = {
  dragOut: PictureId,
  language: v.picklist(LANGUAGE_TAGS),
  showSaved: v.literal('last'),
  saveAsLast: v.literal('next'),
} as const satisfies Record<keyof typeof PAGE_CHANNELS, v.GenericSchema>;
type Heard = { readonly [N in keyof typeof MESSAGES]: (value: v.InferOutput<(typeof MESSAGES)[N]>, contents: WebContents) => void };

/** No message is longer; a schema would write all of a long one into its complaint. */
const MAX_LETTERS = 256;

/** The one place where messages of the page come in: from our own page's main frame, in their own shape, or not at all. */
export function hearPage(channels: typeof PAGE_CHANNELS, heard: Heard, log: Log): void {
  for (const name of Object.keys(MESSAGES) as (keyof typeof MESSAGES)[]) {
    ipcMain.on(channels[name], ({ senderFrame, sender }, ...values: unknown[]) => {
      const [value] = values;
      const hear = heard[name] as (value: unknown, contents: WebContents) => void;
      const isShort = values.length === 1 && typeof value === 'string' && value.length <= MAX_LETTERS;
      if (isOurPage(senderFrame) && isShort && v.is(MESSAGES[name], value)) hear(value, sender);
      else log.warn(`A message ${name} was refused.`);
    });
  }
}

/** A frame that is gone has no say either. */
function isOurPage(frame: WebFrameMain | null): boolean {
  return frame?.parent === null && frame.url.startsWith(STUDIO.url);
}
