import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AddEvent } from '#contract/api.js';
import type { Engine } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { openLibrary } from '#packs/library.js';
import { addPack, askForPack } from '#service/add-pack.js';
import { dynamicDepth, modelOf } from '../../support/onnx-models.js';

const NAME = 'depth-anything-v2-small';
const MODEL = Buffer.from(modelOf(dynamicDepth()));
const NEVER = { aborted: false, reason: undefined };

let server: Server;
let home: string;

/** A mirror on this machine that has the one model. */
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-add-'));
  const lfs = { sha256: createHash('sha256').update(MODEL).digest('hex'), size: MODEL.length };
  const answer = { cardData: { license: 'apache-2.0' }, siblings: [{ rfilename: 'onnx/model.onnx', lfs }] };
  server = createServer(({ url }, response) => response.end(url?.startsWith('/api/') ? JSON.stringify(answer) : MODEL));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('SCALEBRUSH_HUB', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('SCALEBRUSH_HOME', home);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
  await rm(home, { recursive: true });
});

test('a known pack is fetched, checked and imported under the licence that was accepted, and its download is not kept twice', async () => {
  const library = openLibrary({ builtIn: [], user: path.join(home, 'packs') });
  expect(await askForPack(NAME)).toMatchObject({ totalBytes: MODEL.length, files: [{ path: 'onnx/model.onnx', licence: 'apache-2.0' }] });
  let last: AddEvent | undefined;
  const wish = { name: NAME, precision: 'float32', acceptLicence: true } as const;
  for await (const event of addPack({ engine: new LocalEngine() as unknown as Engine, library }, wish, NEVER)) last = event;
  expect(last).toMatchObject({ type: 'imported', pack: { name: NAME, family: 'depth', licence: 'apache-2.0' } });
  expect(existsSync(path.join(home, 'downloads/onnx-community/depth-anything-v2-small/onnx/model.onnx'))).toBe(false);
});
