import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { FarmJob, JOB_BYTES, Sha256, type BatchId } from '#contract/farm.js';
import type { EditRequest } from '#contract/request.js';
import { parseBoundedJson } from '#packs/json-file.js';
import { parseInput } from '#service/parse.js';
import { expectCompleteTask, namedPictures } from '#service/task-rules.js';
import { digestOf } from '#service/digest.js';

const MOST_DEPTH = 16;
const GIBIBYTE = 1024 ** 3;

/** What a job may need, so that no worker sits before one that it cannot hold. */
const CLASSES = [
  { name: '2gb', bytes: 2 * GIBIBYTE },
  { name: '8gb', bytes: 8 * GIBIBYTE },
  { name: 'more', bytes: Number.POSITIVE_INFINITY },
] as const;
type MemoryClass = (typeof CLASSES)[number]['name'];

/** The class of a job by its forecast. */
export function classOf(forecastBytes: number): MemoryClass {
  return CLASSES.find(({ bytes }) => forecastBytes <= bytes)?.name ?? 'more';
}

/** The classes that a worker takes with so much memory; the smallest always, because the engine asks for itself as well. */
export function classesWithin(reachBytes: number): readonly MemoryClass[] {
  const largest = GIBIBYTE * 8;
  return CLASSES.filter(({ name, bytes }) => name === '2gb' || (name === 'more' ? reachBytes > largest : bytes <= reachBytes)).map(
    ({ name }) => name,
  );
}

/** One per pack, version of the engine and class: whoever takes its jobs can do them, and draws what was promised. */
export function queueName({
  pack,
  engine,
  memory,
}: {
  readonly pack: Sha256;
  readonly engine: string;
  readonly memory: MemoryClass;
}): string {
  return `${digestOf([pack, engine]).slice(0, 16)}-${memory}`;
}

/** The same for the same picture of the same batch: who submits again adds nothing twice. */
export function jobId({ batch, output }: Pick<FarmJob, 'batch' | 'output'>): string {
  return `${batch}-${digestOf(output).slice(0, 16)}`;
}

/** All that decides the bytes of a result; previews are only shown. */
export function resultKey({ request, tokens, pack }: Pick<FarmJob, 'request' | 'tokens' | 'pack'>, engine: string): Sha256 {
  return digestOf({ request: { ...request, previews: false }, tokens, pack, engine });
}

/** Fingerprints in their order, with what they are done by. */
export function batchId(parts: readonly string[]): BatchId {
  return digestOf(parts).slice(0, 32);
}

/**
 * A job from the queue, before anything that it names is read. Whoever can write to Redis can write anything there.
 *
 * @throws ExpectedError `request.invalid`, or what the request is refused with everywhere.
 */
export function parseJob(data: unknown, engine: string): FarmJob {
  const job = parseInput(FarmJob, bounded(data));
  const { request } = job;
  if (request.resume !== undefined) throw invalid('tokens in the store', 'tokens in the job');
  for (const id of namedPictures(request)) if (!v.is(Sha256, id)) throw invalid('pictures by their SHA-256', 'another name');
  if (job.result !== resultKey(job, engine)) throw invalid('the key of its result', 'another key');
  expectCompleteTask(request);
  return job;
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

/** The request as it runs: of a picture that nobody watches there are no previews. */
export function runnable({ request }: FarmJob): EditRequest {
  return { ...request, previews: false };
}
