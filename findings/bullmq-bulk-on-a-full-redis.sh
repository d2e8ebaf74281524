#!/usr/bin/env bash
# BullMQ's Queue.addBulk on a Redis that is full rejects, although a part of the bulk is in the queue.
#
# Versions: bullmq 6.7.0, ioredis 6.0.0, Redis 7.0.15 (Debian 12), Node 20.20.
# Seen on 2026-11-28, with maxmemory 4mb, noeviction and 500 jobs of 20 kB in one addBulk:
#   rejected: OOM command not allowed when used memory > 'maxmemory'. script: …
#   120 to 140 of the 500 jobs are in the queue and will be worked on; the caller gets no ids.
# The guide ("Adding jobs in bulk") promises that all or none of the jobs are added. The bulk is a pipeline and no
# transaction: whoever adds again after the rejection adds jobs twice, unless every job has an id of its own.
#
# Exits 0 while this is so, 1 when it has changed. Needs Node, npm and redis-server; everything stays on 127.0.0.1.
set -euo pipefail
work=$(mktemp -d)
redis=
trap 'if [ -n "$redis" ]; then kill "$redis" 2>/dev/null || true; wait "$redis" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" bullmq@6.7.0 ioredis@6.0.0 >/dev/null
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
redis-server --port "$port" --bind 127.0.0.1 --dir "$work" --save '' --maxmemory 4mb --maxmemory-policy noeviction >/dev/null &
redis=$!

cat >bulk.cjs <<'JS'
const { Queue } = require('bullmq');
const { Redis } = require('ioredis');
const JOBS = 500;
(async () => {
  const connection = new Redis(Number(process.argv[2]), { maxRetriesPerRequest: null });
  connection.on('error', () => undefined); // it may still be starting
  const queue = new Queue('bulk', { connection });
  await queue.waitUntilReady();
  const jobs = Array.from({ length: JOBS }, (_, i) => ({ name: 'job', data: { i, text: 'x'.repeat(20_000) } }));
  const failure = await queue.addBulk(jobs).then(() => undefined, (error) => error);
  const { wait } = await queue.getJobCounts('wait');
  console.log(failure ? `rejected: ${failure.message}` : 'resolved');
  console.log(`${wait} of the ${JOBS} jobs are in the queue`);
  await queue.close();
  connection.disconnect();
  process.exitCode = failure?.message.startsWith('OOM') && wait > 0 && wait < JOBS ? 0 : 1;
})();
JS
node bulk.cjs "$port"
