import type { BatchId, FarmJob, Sha256 } from '#contract/farm.js';
import { digestOf } from '#service/digest.js';

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
