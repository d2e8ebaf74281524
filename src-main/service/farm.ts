import type { BatchPlan } from '#contract/batch.js';
import type { BatchId, FarmEvent, FarmStatus } from '#contract/farm.js';
import type { EditRequest, PictureId } from '#contract/request.js';
import type { Engine } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';
import type { PictureStore } from './pictures.js';
import type { PreferencesFile } from './preferences.js';

/** A request whose pictures the service holds until it is closed. */
export interface OpenEntry {
  readonly request: EditRequest;
  close(): Promise<void>;
}

/** One picture for the farm. It is opened when its turn comes: a folder may be larger than what we hold. */
export interface FarmEntry extends BatchPlan {
  /** Names of the pack that draws, and of the one that estimates depth. */
  readonly packs: readonly string[];
  /** Tells this wish for this picture from all others, and is the same when it is submitted again. */
  fingerprint(): Promise<string>;
  /** `kept` where nothing is left to be done. Throws what the picture is refused with. */
  open(): Promise<OpenEntry | 'kept'>;
}

/** Other machines that work for this one. A host hands it in; without one there is none. */
export interface Farm {
  /**
   * Submits a batch and follows it to its end. Leaving early leaves to the farm what was submitted; submitting the same
   * again goes on with it.
   *
   * @throws ExpectedError `farm.unreachable`, `farm.unsafe`, `output.unwritable` where the store cannot be written.
   */
  run(entries: readonly FarmEntry[], wish: FarmRun): AsyncGenerator<FarmEvent, void>;
  /** A batch by its id, from where it stands to its end. Throws `job.unknown`. */
  follow(batch: BatchId, wish: FarmWatch): AsyncGenerator<FarmEvent, void>;
  status(batch?: BatchId): Promise<FarmStatus>;
  /** What waits is taken out, what runs is stopped after its scale. */
  cancel(batch: BatchId): Promise<void>;
  /** What failed, was cancelled or got lost waits again; how many those are. */
  retry(batch: BatchId): Promise<number>;
  /** A result. Throws `picture.unknown`. */
  picture(id: PictureId): Promise<Uint8Array>;
  /** What a picture in hand looks like; gone with its end. Throws `picture.unknown`. */
  preview(id: PictureId): Promise<Uint8Array>;
  /** Removes what was last touched so long ago; the number of files. */
  gc(olderThanMs: number): Promise<number>;
  close(): Promise<void>;
}

export interface FarmWatch {
  readonly signal: AbortSignal;
  /** Somebody looks at it: workers show what they have in hand. */
  readonly watched?: boolean;
}

export interface FarmRun extends FarmWatch {
  /** Submits, and does not wait for results. */
  readonly detach?: boolean;
}

/** What of this machine a farm needs: it forecasts a job's memory and reads its pictures here. */
export interface FarmParts {
  readonly engine: Pick<Engine, 'forecast'>;
  readonly library: Library;
  readonly pictures: PictureStore;
  readonly preferences: PreferencesFile;
}

export type OpenFarm = (parts: FarmParts) => Promise<Farm>;
