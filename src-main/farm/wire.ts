import { canonicalJson } from '#base/canonical-json.js';
import { ExpectedError } from '#contract/errors.js';
import { FarmJob, FarmWire, JOB_BYTES } from '#contract/farm.js';
import { EditRequest } from '#contract/request.js';
import { parseBoundedJson } from '#packs/json-file.js';
import { parseInput } from '#service/parse.js';
import { expectCompleteTask, namedPictures, renamePictures } from '#service/task-rules.js';
import { jobId, resultKey } from './job.js';

const MOST_DEPTH = 16;
/** A batch's id and a dash stand before the rest of a job's. */
const BATCH_CHARS = 32;

/** A job as BullMQ holds it. */
export interface WaitingJob {
  readonly id?: string | undefined;
  readonly data: unknown;
}

/** The job in as few bytes as may be. */
export function wireOf({ output, request, tokens, pack, result }: FarmJob): FarmWire {
  const pictures = namedPictures(request);
  const places = new Map(pictures.map((id, place) => [id, String(place)]));
  return {
    v: 1,
    o: output,
    r: unusual(renamePictures(request, places)),
    i: pictures.map(shortOf),
    p: shortOf(pack),
    k: shortOf(result),
    ...(tokens !== undefined && { t: shortOf(tokens) }),
  };
}

/**
 * A job from the queue, before anything that it names is read. Whoever can write to Redis can write anything there: what is
 * not to the letter what we would have written is refused.
 *
 * @throws ExpectedError `request.invalid`, or what the request is refused with everywhere.
 */
export function parseJob({ id = '', data }: WaitingJob, engine: string): FarmJob {
  const wire = parseInput(FarmWire, bounded(data));
  const job = jobIn(id, wire);
  if (canonicalJson(wireOf(job)) !== canonicalJson(wire)) throw invalid('its fields as they are written', 'others');
  if (id !== jobId(job)) throw invalid('its own name', 'another');
  if (job.result !== resultKey(job, engine)) throw invalid('the key of its result', 'another key');
  expectCompleteTask(job.request);
  return job;
}

function jobIn(id: string, { o: output, r, i, p, k, t }: FarmWire): FarmJob {
  const request = parseInput(EditRequest, r);
  if (request.resume !== undefined) throw invalid('tokens in the store', 'tokens in the job');
  const digests = new Map(i.map((short, place) => [String(place), longOf(short)]));
  if (!namedPictures(request).every((place) => digests.has(place))) throw invalid('pictures by their SHA-256', 'another name');
  return parseInput(FarmJob, {
    version: 1,
    batch: id.slice(0, BATCH_CHARS),
    output,
    request: renamePictures(request, digests),
    ...(t !== undefined && { tokens: longOf(t) }),
    pack: longOf(p),
    result: longOf(k),
  });
}

/** What the schema would not write by itself. */
function unusual(request: EditRequest): Readonly<Record<string, unknown>> {
  const { task, control, output } = request;
  const least = { task, output: { format: output.format }, ...(control && { control: { kind: control.kind } }) };
  const usual = parseInput(EditRequest, least);
  return {
    ...differing(request, usual),
    ...least,
    output: { ...least.output, ...differing(output, usual.output) },
    ...(control && { control: { ...least.control, ...differing(control, usual.control ?? {}) } }),
  };
}

function differing(whole: object, usual: object): Readonly<Record<string, unknown>> {
  const known = new Map<string, unknown>(Object.entries(usual));
  return Object.fromEntries(Object.entries(whole).filter(([key, value]) => canonicalJson(value) !== canonicalJson(known.get(key))));
}

function shortOf(digest: string): string {
  return Buffer.from(digest, 'hex').toString('base64url');
}

function longOf(short: string): string {
  return Buffer.from(short, 'base64url').toString('hex');
}

/** The same value as bounded JSON: not too long, not too deep, no keys that reach for prototypes. */
function bounded(data: unknown): unknown {
  try {
    const text = JSON.stringify(data);
    if (Buffer.byteLength(text) > JOB_BYTES) throw new Error(`Expected at most ${String(JOB_BYTES)} bytes for a job but received more.`);
    return parseBoundedJson(text, 'a job', MOST_DEPTH);
  } catch (cause) {
    const why = cause instanceof RangeError || !(cause instanceof Error) ? 'Expected a job but received something else.' : cause.message;
    throw new ExpectedError('request.invalid', why, { cause });
  }
}

function invalid(expected: string, received: string): ExpectedError {
  return new ExpectedError('request.invalid', `Expected ${expected} for a job but received ${received}.`);
}
