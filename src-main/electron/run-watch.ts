import type { EditEvent } from '#contract/event.js';
import type { ImportEvent } from '#contract/api.js';

/** What long work looks like from outside the window. */
export interface Outside {
  /** 0..1, or undefined where nothing runs. */
  progress(share: number | undefined): void;
  /** Work has come to an end; `how` is named where it was so long that nobody may be looking any more. */
  ended(how: 'done' | 'failed' | undefined): void;
}

/** Runs shorter than this are watched as they go. */
const LONG_MS = 5000;

/**
 * The body of a stream, unchanged, told on its way to the page. The page has no channel for this: what it is shown is
 * what the taskbar shows.
 */
export function watched(body: ReadableStream<Uint8Array>, outside: Outside): ReadableStream<Uint8Array> {
  const started = performance.now();
  const decoder = new TextDecoder();
  let rest = '';
  let how: 'done' | 'failed' | undefined;
  const hear = (event: EditEvent | ImportEvent): void => {
    const share = shareOf(event);
    if (share !== undefined) outside.progress(share);
    if (event.type === 'done' || event.type === 'imported') how = 'done';
    if (event.type === 'failed') how = 'failed';
  };
  const end = (): void => {
    outside.progress(undefined);
    outside.ended(performance.now() - started >= LONG_MS ? how : undefined);
  };
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = await reader.read().catch((error: unknown) => {
        end();
        throw error;
      });
      if (part.done) {
        end();
        controller.close();
        return;
      }
      const lines = (rest + decoder.decode(part.value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') hear(JSON.parse(line) as EditEvent | ImportEvent);
      controller.enqueue(part.value);
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  });
}

/** How far the work is, where an event tells. */
function shareOf(event: EditEvent | ImportEvent): number | undefined {
  if (event.type === 'started') return 0;
  if (event.type === 'scale') return event.scale / event.of;
  if (event.type === 'progress') return event.totalBytes > 0 ? event.doneBytes / event.totalBytes : 0;
  return undefined;
}
