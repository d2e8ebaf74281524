import type { Server } from 'node:http';
import { openEngine, openOwnLibrary } from '#service/open.js';
import { openPreferences } from '#service/preferences.js';
import { preferencesFile } from '#packs/places.js';
import { farmAddress, shownAddress } from './address.js';
import { openConnection } from './connection.js';
import { engineVersion } from './digest.js';
import { heedTermination } from './heed.js';
import { portOf, serveMetrics } from './metrics.js';
import { TIMING } from './settings.js';
import { FarmStore } from './store.js';
import { FarmWorker } from './worker.js';

export interface WorkerWish {
  readonly packs?: readonly string[];
  /** 0 = any free one. */
  readonly metricsPort?: number;
  readonly log: (line: string) => void;
  /** Aborted by the first interrupt. */
  readonly signal: AbortSignal;
}

/**
 * A worker of this machine until it is told to go: the first SIGTERM or interrupt lets the job at work end, the second
 * gives it back.
 *
 * @throws ExpectedError `farm.unreachable`, `farm.unsafe`, `output.unwritable`, `pack.unknown`, `pack.damaged`.
 */
export async function startWorker({ packs, metricsPort, log, signal }: WorkerWish): Promise<void> {
  const { farm } = await openPreferences(preferencesFile()).read();
  const address = await farmAddress(process.env, farm);
  const redis = await openConnection(address);
  const engine = openEngine();
  let server: Server | undefined;
  try {
    const store = new FarmStore(address.store);
    await store.open();
    const parts = { redis, store, engine, library: openOwnLibrary(), version: engineVersion(), timing: TIMING, log };
    const worker = new FarmWorker({ ...parts, ...(packs && { packs }) });
    server = metricsPort === undefined ? undefined : await serveMetrics(worker.metrics, metricsPort);
    if (server) log(`metrics on http://127.0.0.1:${String(portOf(server))}/metrics`);
    log(`farm ${shownAddress(address)}, store ${address.store}`);
    redis.on('close', () => {
      log('redis: away');
    });
    redis.on('ready', () => {
      log('redis: back');
    });
    signal.addEventListener('abort', () => {
      worker.drain();
    });
    heedTermination(worker);
    await worker.run();
  } finally {
    server?.close();
    redis.disconnect();
    await engine.close();
  }
}
