import type { Cancellation } from '#base/cancellation.js';
import type { VerifyEvent } from '#contract/api.js';
import { endingOf } from '#contract/ending.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { Library } from '#packs/library.js';
import { reportOn } from './report-on.js';

/** Reads every file of a pack and compares it with its card. The last event says how it ended. */
export async function* verifyPack(library: Library, name: string, signal: Cancellation): AsyncGenerator<VerifyEvent, void> {
  const left = new AbortController();
  let verifying: Promise<unknown> | undefined;
  try {
    const totalBytes = (await library.info(name)).sizeBytes;
    let doneBytes = 0;
    const work = library.verify(name, (bytes) => {
      throwIfCancelled(signal);
      throwIfCancelled(left.signal);
      doneBytes += bytes;
    });
    verifying = work;
    const verification = yield* reportOn<Awaited<typeof work>, VerifyEvent>(work, () => ({ type: 'progress', doneBytes, totalBytes }));
    yield { type: 'verified', verification };
  } catch (error) {
    yield endingOf(error, signal);
  } finally {
    left.abort();
    await verifying?.catch(() => undefined);
  }
}
