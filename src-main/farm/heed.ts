import type { FarmWorker } from './worker.js';

/** How long a job that is abandoned may take to go back. */
const ABANDON_MS = 3_000;
const ABANDONED = 130;

/** The first SIGTERM lets the job at work end, the second gives it back; the process ends then, whatever Redis says. */
export function heedTermination(worker: Pick<FarmWorker, 'drain' | 'abandon'>): void {
  let told = false;
  process.on('SIGTERM', () => {
    if (!told) worker.drain();
    else {
      worker.abandon();
      setTimeout(() => process.exit(ABANDONED), ABANDON_MS).unref();
    }
    told = true;
  });
}
