import { endingOf } from '#contract/ending.js';
import { ExpectedError } from '#contract/errors.js';
import type { BatchId, FarmEvent, FarmOrder, FarmProgress, FarmStatus } from '#contract/farm.js';
import type { EditRequest, PictureId } from '#contract/request.js';
import { following, type Signal } from '#jobs/follow.js';
import { sha256Of } from '#packs/verify.js';
import type { Farm, FarmEntry, FarmParts, OpenFarm } from './farm.js';
import { safeFileName } from './names.js';
import { parseStream } from './parse.js';
import { expectCompleteTask, namedPictures, renamePictures } from './task-rules.js';
import { digestOf } from './digest.js';

interface DeskParts extends FarmParts {
  readonly openFarm?: OpenFarm;
}

const NO_FARM: FarmStatus = { address: null, workers: [], queues: [] };

/** The service's end of the farm: opened by the first who asks, and its results become pictures like others. */
export class FarmDesk {
  readonly #parts: DeskParts;
  #farm: Promise<Farm> | undefined;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  farm(): Promise<Farm> {
    const { openFarm } = this.#parts;
    if (!openFarm)
      return Promise.reject(
        new ExpectedError('farm.unreachable', 'Expected a farm but this program was started without one.', { details: { set: false } }),
      );
    const opening = this.#farm ?? openFarm(this.#parts);
    this.#farm = opening;
    // The next who asks tries anew.
    opening.catch(() => (this.#farm = undefined));
    return opening;
  }

  /** Where none is set, that is said and nothing else: the window asks to know whether it has a choice. */
  async status(batch: BatchId | undefined): Promise<FarmStatus> {
    try {
      return await (await this.farm()).status(batch);
    } catch (error) {
      if (error instanceof ExpectedError && error.details['set'] === false) return NO_FARM;
      throw error;
    }
  }

  /** An order that is refused is thrown at the first step; what fails later is the last event. */
  async *run(input: unknown, signal: Signal | undefined): AsyncGenerator<FarmEvent, void> {
    const order = parseStream('farm.run', input);
    if ('entries' in order) for (const { request } of order.entries) expectCompleteTask(request);
    const leaving = following(signal);
    try {
      for await (const event of this.#events(await this.farm(), order, leaving.signal)) {
        yield await this.#held(event);
      }
    } catch (error) {
      yield endingOf(error, leaving.signal);
    } finally {
      leaving.abort();
    }
  }

  async close(): Promise<void> {
    const farm = await this.#farm?.catch(() => undefined);
    await farm?.close();
  }

  #events(farm: Farm, order: FarmOrder, signal: AbortSignal): AsyncGenerator<FarmEvent, void> {
    if ('batch' in order) return farm.follow(order.batch, { signal, watched: true });
    const entries = order.entries.map((entry): FarmEntry => ({
      ...entry,
      packs: [entry.request.pack, entry.request.control?.estimator].filter((name) => name !== undefined),
      fingerprint: () => this.#fingerprint(entry.request),
      open: () => Promise.resolve({ request: entry.request, close: () => Promise.resolve() }),
    }));
    return farm.run(entries, { signal, watched: true });
  }

  /** Its results are held here, as those of any run. */
  async #held(event: FarmEvent): Promise<FarmEvent> {
    if (event.type === 'change' && event.progress?.picture !== undefined)
      return { ...event, progress: await this.#heldProgress(event.progress) };
    if (event.type !== 'change' || !event.pictures) return event;
    const { output: name, format } = event.entry;
    const farm = await this.farm();
    const pictures: PictureId[] = [];
    for (const id of event.pictures) {
      const bytes = await farm.picture(id);
      pictures.push(await this.#parts.pictures.keep({ bytes, name: safeFileName(name), format, lifetime: 'kept' }));
    }
    return { ...event, pictures };
  }

  /** A preview may be gone before it is asked for. */
  async #heldProgress({ picture: id = '', ...progress }: FarmProgress): Promise<FarmProgress> {
    try {
      const bytes = await (await this.farm()).preview(id);
      const picture = await this.#parts.pictures.keep({ bytes, name: 'preview.png', format: 'png', lifetime: 'passing' });
      return { ...progress, picture };
    } catch {
      return progress;
    }
  }

  /** Pictures are named anew whenever they are opened: what they hold tells them apart. */
  async #fingerprint(request: EditRequest): Promise<string> {
    const digests = new Map<PictureId, string>();
    for (const id of namedPictures(request)) digests.set(id, await sha256Of(this.#parts.pictures.file(id).file));
    return digestOf(renamePictures(request, digests));
  }
}
