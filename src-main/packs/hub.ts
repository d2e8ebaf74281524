import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Response } from 'undici';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';

/** A file of the public hub. */
export interface HubFile {
  /** `owner/name` */
  readonly repository: string;
  readonly path: string;
}

/** What the hub says of a file before it is fetched. */
export interface HubFacts extends HubFile {
  readonly bytes: number;
  /** Of large files; small ones have none. */
  readonly sha256?: string;
  readonly licence: string;
}

export interface HubOptions {
  /** Of the hub or of a mirror. */
  readonly address: string;
  /** Hears how much of a file is here; throws to give the download up. */
  readonly onProgress?: (file: HubFile, bytes: number) => void;
  /** Gives up what is under way. */
  readonly signal?: AbortSignal;
  /** Between two tries; tests need not wait. */
  readonly pauseMs?: number;
}

const HUB = 'https://huggingface.co';
const TRIES = 5;
const PAUSE_MS = 2000;
const TOO_MANY = 429;
const PARTIAL = 206;
const RANGE_BEYOND = 416;

/** The public hub, or the mirror that `SCALEBRUSH_HUB` names, or `HF_ENDPOINT` as other programs have it. */
export function hubAddress(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const mirror = [environment['SCALEBRUSH_HUB'], environment['HF_ENDPOINT']].find((address) => address !== undefined && address !== '');
  return mirror?.replace(/\/$/u, '') ?? HUB;
}

const ModelAnswer = v.object({
  cardData: v.optional(v.object({ license: v.optional(v.string()) })),
  siblings: v.array(
    v.object({ rfilename: v.string(), size: v.optional(v.number()), lfs: v.optional(v.object({ sha256: v.string(), size: v.number() })) }),
  ),
});

/** Size, digest and licence of files of one repository or several. Throws `service.unreachable`. */
export async function askHub(files: readonly HubFile[], options: HubOptions): Promise<readonly HubFacts[]> {
  const answers = new Map<string, v.InferOutput<typeof ModelAnswer>>();
  for (const repository of new Set(files.map((file) => file.repository))) {
    const response = await patiently(`${options.address}/api/models/${repository}?blobs=true`, {}, options);
    answers.set(repository, v.parse(ModelAnswer, await response.json()));
  }
  return files.map((file) => {
    const answer = answers.get(file.repository);
    const entry = answer?.siblings.find(({ rfilename }) => rfilename === file.path);
    if (!entry) throw unreachable(`Expected ${file.path} in ${file.repository} but the hub has no such file.`);
    const { lfs, size = 0 } = entry;
    return {
      ...file,
      bytes: lfs?.size ?? size,
      ...(lfs && { sha256: lfs.sha256 }),
      licence: answer?.cardData?.license ?? 'not stated',
    };
  });
}

/**
 * Fetches a file into a folder, going on where an earlier try ended, and checks its digest.
 *
 * @returns where it lies.
 */
export async function fetchFile(file: HubFacts, folder: string, options: HubOptions): Promise<string> {
  const target = join(folder, file.repository, file.path);
  if (await isWhole(target, file)) return target;
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  for (let tries = 1; ; tries++) {
    try {
      await fetchRest(file, part, options);
      break;
    } catch (error) {
      // A connection that breaks goes on from where it broke; what the hub refuses stays refused.
      if (error instanceof ExpectedError || tries === TRIES || !(error instanceof TypeError)) throw error;
      await pause(options);
    }
  }
  await expectDigest(part, file);
  await rename(part, target);
  return target;
}

async function fetchRest(file: HubFacts, part: string, options: HubOptions): Promise<void> {
  const have = await sizeOf(part);
  if (have === file.bytes && have > 0) return;
  const url = `${options.address}/${file.repository}/resolve/main/${file.path}`;
  const response = await patiently(url, have > 0 ? { range: `bytes=${String(have)}-` } : {}, options);
  const goesOn = response.status === PARTIAL;
  const handle = await open(part, goesOn ? 'a' : 'w');
  try {
    if (!response.body) return;
    let here = goesOn ? have : 0;
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      await handle.writeFile(piece);
      here += piece.byteLength;
      options.onProgress?.(file, here);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if ((await sizeOf(part)) < file.bytes) throw new TypeError(`The connection ended before ${file.path} was whole.`);
}

async function expectDigest(part: string, file: HubFacts): Promise<void> {
  const size = await sizeOf(part);
  const digest = file.sha256 === undefined ? undefined : await digestOf(part);
  if (size === file.bytes && digest === file.sha256) return;
  await rm(part, { force: true });
  throw new ExpectedError('pack.damaged', `Expected ${file.path} as the hub describes it but received other bytes; it was thrown away.`);
}

async function isWhole(target: string, file: HubFacts): Promise<boolean> {
  return (await sizeOf(target)) === file.bytes && (file.sha256 === undefined || (await digestOf(target)) === file.sha256);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Uint8Array);
  return hash.digest('hex');
}

/** Waits where the hub asks for patience; says why it refuses otherwise. */
async function patiently(url: string, headers: Record<string, string>, options: HubOptions): Promise<Response> {
  // Loaded by whoever asks the hub: it is a fifth of what a start reads.
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  // By HTTPS_PROXY, HTTP_PROXY and NO_PROXY: the fetch of Node itself does not look at them.
  const dispatcher = new EnvHttpProxyAgent();
  for (let tries = 1; ; tries++) {
    const response = await fetch(url, { headers, dispatcher, ...(options.signal && { signal: options.signal }) });
    if (response.ok) return response;
    if (response.status === RANGE_BEYOND && headers['range'] !== undefined) return patiently(url, {}, options);
    if (response.status !== TOO_MANY || tries === TRIES) {
      throw unreachable(`Expected ${url} from the hub but received status ${String(response.status)}.`);
    }
    await pause(options, Number(response.headers.get('retry-after')) * 1000);
  }
}

function pause({ pauseMs = PAUSE_MS }: HubOptions, wished = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(60_000, Math.max(pauseMs, Number.isFinite(wished) ? wished : 0))));
}

function unreachable(message: string): ExpectedError {
  return new ExpectedError('service.unreachable', message);
}
