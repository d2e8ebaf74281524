import { CancelledError } from '#contract/errors.js';
import type { BatchId, FarmEvent } from '#contract/farm.js';
import type { Farm, FarmParts, FarmWatch } from '#service/farm.js';
import { farmAddress, shownAddress, type FarmAddress } from './address.js';
import { openConnection } from './connection.js';
import { engineVersion } from './digest.js';
import { Follower } from './follow.js';
import { cancelBatch, entriesOf, retryBatch, statusOf } from './manage.js';
import { Queues } from './queues.js';
import { TIMING, type Timing } from './settings.js';
import { FarmStore } from './store.js';
import { submitBatch } from './submit.js';
import type { FarmWorld } from './world.js';

/** The farm that the environment or the preferences name. Throws `farm.unreachable`, `farm.unsafe`, `output.unwritable`. */
export async function openFarm(parts: FarmParts): Promise<Farm> {
  const { farm } = await parts.preferences.read();
  return openFarmAt(await farmAddress(process.env, farm), parts);
}

export async function openFarmAt(address: FarmAddress, parts: Omit<FarmParts, 'preferences'>, timing: Timing = TIMING): Promise<Farm> {
  const redis = await openConnection(address);
  try {
    const world = await worldOf(address, parts, new Queues(redis, timing));
    return farmOf(world, address);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function worldOf(address: FarmAddress, parts: Omit<FarmParts, 'preferences'>, queues: Queues): Promise<FarmWorld> {
  const store = new FarmStore(address.store);
  await store.open();
  const { engine, library, pictures } = parts;
  return { queues, store, engine, library, pictures, version: engineVersion() };
}

function farmOf(world: FarmWorld, address: FarmAddress): Farm {
  return {
    run: (entries, run) => submitBatch(world, entries, run),
    follow: (batch, watch) => followBatch(world, batch, watch),
    status: async (batch) => ({ address: shownAddress(address), ...(await statusOf(world, batch)) }),
    cancel: (batch) => cancelBatch(world, batch),
    retry: (batch) => retryBatch(world, batch),
    picture: (id) => world.store.get(id),
    preview: (id) => world.store.preview(id),
    gc: (olderThanMs) => world.store.gc(Date.now() - olderThanMs),
    close: async () => {
      await world.queues.close();
      world.queues.redis.disconnect();
    },
  };
}

async function* followBatch(world: FarmWorld, batch: BatchId, watch: FarmWatch): AsyncGenerator<FarmEvent, void> {
  const parts = await world.store.parts(batch);
  const entries = entriesOf(parts);
  if (watch.signal.aborted) throw new CancelledError('Cancelled.');
  const follower = new Follower(world, { batch, total: parts[0]?.total ?? entries.length, ...watch });
  follower.add(entries);
  try {
    yield {
      type: 'batch',
      batch,
      entries: entries.map(({ source, output, format }) => ({ source, output, format, state: 'waiting' as const })),
    };
    yield* follower.rest();
  } finally {
    await follower.close();
  }
}
