import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sweepTelemetryFiles, type TelemetryPlaces } from '#engine/runtime/telemetry-files.js';

const SESSION = 'e54fd722-e060-32bc-b0a0-3fbcd5da2fa2';
const MACHINE = '9ddf8f8f-4f94-4d69-a632-3c55a73aa930';
let root: string;
let places: TelemetryPlaces;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'telemetry-test-'));
  places = { cache: path.join(root, 'cache/Microsoft/DeveloperTools/.onnxruntime'), temporary: path.join(root, 'tmp') };
  await mkdir(places.cache, { recursive: true });
  await mkdir(places.temporary);
});

afterEach(() => rm(root, { recursive: true, force: true }));

const inCache = (name: string) => path.join(places.cache, name);
const inTemp = (name: string) => path.join(places.temporary, name);
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

test('what ONNX Runtime 1.30 left is removed, with the folders that were only for it', async () => {
  await writeFile(inCache('deviceid'), MACHINE);
  await writeFile(inCache('onnxruntime.db'), `SQLite format 3\0 … ${SESSION} …`);
  await writeFile(inCache('onnxruntime.db-wal'), '');
  await writeFile(inTemp('.ses'), `1795871257685\n${SESSION}\n`);
  await writeFile(inTemp(`mat-debug-${String(deadPid())}.log`), '');
  await sweepTelemetryFiles(places);
  expect(await readdir(path.join(root, 'cache'))).toEqual([]);
  expect(await readdir(places.temporary)).toEqual([]);
});

test('what may be another program’s stays', async () => {
  const target = path.join(root, 'precious');
  await writeFile(target, MACHINE);
  await symlink(target, inCache('deviceid'));
  await writeFile(inCache('onnxruntime.db'), 'not a database');
  await writeFile(inTemp('.ses'), `1795871257685\n${SESSION}\n`);
  await writeFile(inTemp(`mat-debug-${String(process.pid)}.log`), '');
  await writeFile(inTemp(`mat-debug-${String(deadPid())}.log`), 'somebody wrote something');
  await writeFile(inTemp('mat-debug-mine.log'), '');
  await sweepTelemetryFiles(places);
  expect(await readdir(places.cache)).toEqual(['deviceid', 'onnxruntime.db']);
  expect(await readdir(places.temporary)).toHaveLength(4);
});

test('a machine that never had it is no trouble', async () => {
  await rm(root, { recursive: true });
  await sweepTelemetryFiles(places);
});
