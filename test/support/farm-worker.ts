import { createHash } from 'node:crypto';
import { openConnection } from '#farm/connection.js';
import { engineVersion } from '#farm/digest.js';
import { heedTermination } from '#farm/heed.js';
import { FarmStore } from '#farm/store.js';
import { FarmWorker } from '#farm/worker.js';
import { openLibrary } from '#packs/library.js';
import { SHORT } from './farm-timing.js';
import { farmEngine } from './farm-engine.js';

/** A worker process of a test: the true worker around the fake engine. It tells of each run. */
const [url = '', store = '', packs = ''] = process.argv.slice(2);
const engine = farmEngine(({ request, pictures }) => {
  const source = pictures[request.source ?? ''];
  process.send?.({ run: source instanceof Uint8Array ? createHash('sha256').update(source).digest('hex') : '' });
});
const redis = await openConnection({ url: new URL(url), store });
const worker = new FarmWorker({
  redis,
  store: new FarmStore(store),
  engine,
  library: openLibrary({ builtIn: [packs] }),
  version: engineVersion(),
  timing: SHORT,
  log: (line) => process.send?.({ line }),
});
heedTermination(worker);
await worker.run();
redis.disconnect();
process.disconnect();
