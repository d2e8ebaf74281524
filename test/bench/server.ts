import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import type { PictureId } from '#contract/request.js';
import { HEAVY } from '../support/heavy-metadata.js';
import { familyOf, forgetPeaks, peakRssBytes, processorSeconds, rssBytes } from '../support/peak-memory.js';
import { scenePng } from '../support/pictures.js';
import { startLiveServer, type LiveServer } from '../support/running-server.js';
import { machine } from './machine.js';

const CLIENTS = 20;
/** Between two questions of one client: a page that asks whenever somebody does something. */
const THINKING_MS = 50;
const HEAVY_BYTES = 64 * 2 ** 20;
const MEGABYTE = 2 ** 20;

/** What `serve` costs under load, in tables. Linux says what processes take; elsewhere there is no table. */
export async function serverLines(): Promise<readonly string[]> {
  const title = ['', '## The server under load', ''];
  if (process.platform !== 'linux') return [...title, 'Measured on Linux only.'];
  const server = await startLiveServer();
  try {
    const { id } = await server.link.upload(await scenePng(1024, 768), 'scene.png');
    await edited(server, id);
    return [...title, ...(await latencyLines(server, id)), ...(await metadataLines(server))];
  } finally {
    await server.stop();
  }
}

async function edited(server: LiveServer, source: PictureId): Promise<void> {
  const request = { task: 'edit', source, instruction: 'make it warmer' } as const;
  for await (const event of server.link.stream('edit.run', request)) if (event.type === 'failed') throw new Error(event.error.message);
}

async function latencyLines(server: LiveServer, source: PictureId): Promise<readonly string[]> {
  const { id: small } = await server.link.upload(await scenePng(64, 48), 'small.png');
  const answers = async (busy: boolean): Promise<readonly number[]> => {
    const ended = { yes: false };
    const clients = Array.from({ length: CLIENTS }, () => askAgainAndAgain(server, small, ended));
    if (busy) for (let run = 0; run < 3; run++) await edited(server, source);
    else await pause(2000);
    ended.yes = true;
    return (await Promise.all(clients)).flat().sort((a, b) => a - b);
  };
  const [idle, busy] = [await answers(false), await answers(true)];
  const at = (times: readonly number[], share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(0);
  return [
    `${String(CLIENTS)} clients ask for a small picture, ${String(THINKING_MS)} ms after each answer; they share the machine with it: ${machine()}, load average ${loadavg()[0]?.toFixed(1) ?? ''}.`,
    '',
    '| | answers | median, ms | p99, ms | target |',
    '|---|---|---|---|---|',
    `| nothing else to do | ${String(idle.length)} | ${at(idle, 0.5)} | ${at(idle, 0.99)} | |`,
    `| while an edit runs | ${String(busy.length)} | ${at(busy, 0.5)} | ${at(busy, 0.99)} | ≤ 150 |`,
  ];
}

async function askAgainAndAgain(
  { url, cookie }: LiveServer,
  picture: PictureId,
  ended: { readonly yes: boolean },
): Promise<readonly number[]> {
  const address = new URL(`/api/pictures/${picture}`, url);
  const times: number[] = [];
  while (!ended.yes) {
    const started = performance.now();
    await (await fetch(address, { headers: { cookie } })).arrayBuffer();
    times.push(performance.now() - started);
    await pause(THINKING_MS);
  }
  return times;
}

/** Uploaded and edited, beyond what the same costs with next to nothing beside the pixels. */
async function metadataLines(server: LiveServer): Promise<readonly string[]> {
  const lines = ['', '| 64 MB beside the pixels | processor, s | memory, MB |', '|---|---|---|'];
  const worst = { seconds: 0, bytes: 0 };
  for (const [name, make] of Object.entries(HEAVY)) {
    const light = await cost(server, await make(1000));
    const heavy = await cost(server, await make(HEAVY_BYTES));
    const [seconds, bytes] = [heavy.seconds - light.seconds, heavy.bytes];
    Object.assign(worst, { seconds: Math.max(worst.seconds, seconds), bytes: Math.max(worst.bytes, bytes) });
    lines.push(`| ${name} | ${seconds.toFixed(2)} | ${(bytes / MEGABYTE).toFixed(0)} |`);
  }
  return [...lines, `| most (target) | ${worst.seconds.toFixed(2)} (≤ 1) | ${(worst.bytes / MEGABYTE).toFixed(0)} (≤ 300) |`];
}

async function cost(server: LiveServer, picture: Uint8Array): Promise<{ readonly seconds: number; readonly bytes: number }> {
  const family = familyOf(server.child.pid ?? 0);
  forgetPeaks(family);
  const before = { seconds: processorSeconds(family), bytes: rssBytes(family) };
  const { id } = await server.link.upload(picture, 'heavy');
  await edited(server, id);
  await server.link.call('picture.close', { id });
  return { seconds: processorSeconds(family) - before.seconds, bytes: peakRssBytes(family) - before.bytes };
}
