import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ExpectedError } from '#contract/errors.js';
import type { FarmJob } from '#contract/farm.js';
import { EditRequest } from '#contract/request.js';
import { classesWithin, classOf, jobId, parseJob, queueName, resultKey } from '#farm/job.js';
import { parseInput } from '#service/parse.js';
import { namedPictures, renamePictures } from '#service/task-rules.js';
import { FUZZ_FACTOR } from '../../support/fuzz.js';

const SHA = 'a'.repeat(64);
const ENGINE = '1.0.0 1.30.0';

function jobOf(wish: Readonly<Record<string, unknown>> = {}): FarmJob {
  const request = parseInput(EditRequest, { task: 'edit', source: SHA, instruction: 'make it red', previews: false, ...wish });
  const unnamed = { version: 1 as const, batch: 'b'.repeat(32), output: 'a.png', request, pack: 'c'.repeat(64) };
  return { ...unnamed, result: resultKey(unnamed, ENGINE) };
}

const again = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('a job of the farm', () => {
  it('comes through as it was', () => {
    expect(parseJob(again(jobOf()), ENGINE)).toEqual(jobOf());
  });

  it.each<[string, (job: Record<string, unknown>) => unknown]>([
    ['an unknown version', (job) => ({ ...job, version: 2 })],
    ['a field that nobody knows', (job) => ({ ...job, command: 'rm' })],
    ['a field of the request that nobody knows', (job) => ({ ...job, request: { ...(job['request'] as object), path: '/etc/passwd' } })],
    [
      'a nested field that nobody knows',
      (job) => ({ ...job, request: { ...(job['request'] as object), output: { format: 'png', url: 'http://x' } } }),
    ],
    ['a request with a field left out', (job) => ({ ...job, request: { task: 'edit', source: SHA, instruction: 'x' } })],
    ['a path for a result', (job) => ({ ...job, output: '../a.png' })],
    ['a result that is no picture', (job) => ({ ...job, output: 'a.sh' })],
    ['a picture by another name than its digest', () => jobOf({ source: 'some-picture' })],
    ['another key', (job) => ({ ...job, result: SHA })],
    ['a task without what it needs', () => jobOf({ task: 'fill' })],
    ['more than a job may be', () => jobOf({ instruction: 'x'.repeat(70_000) })],
    ['a list', () => []],
    ['nothing', () => undefined],
    ['a nest', () => JSON.parse('['.repeat(3_000) + ']'.repeat(3_000)) as unknown],
    ['a prototype', (job) => JSON.parse(JSON.stringify(job).replace('{', '{"__proto__":{"x":1},')) as unknown],
  ])('is refused by schema before anything is read: %s', (_, change) => {
    expect(() => parseJob(change(again(jobOf()) as unknown as Record<string, unknown>), ENGINE)).toThrow(ExpectedError);
  });

  it('is refused by a worker of another version, whose picture would be another', () => {
    expect(() => parseJob(jobOf(), '2.0.0 1.30.0')).toThrow('Expected the key of its result');
  });

  it('survives whatever stands in Redis', () => {
    const whole = JSON.stringify(jobOf());
    const mutated = fc
      .tuple(fc.nat(whole.length - 1), fc.nat(8), fc.string({ maxLength: 8 }))
      .map(([at, cut, text]) => whole.slice(0, at) + text + whole.slice(at + cut));
    const fields = fc.record(
      {
        version: fc.anything(),
        batch: fc.anything(),
        output: fc.anything(),
        request: fc.anything(),
        pack: fc.anything(),
        result: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const hostile = fc.oneof(
      mutated.map(jsonIn),
      fc.jsonValue(),
      fields,
      fields.map((some) => ({ ...jobOf(), ...some })),
    );
    const refuses = fc.property(hostile, (data) => {
      try {
        // What is let through is what would have been submitted.
        expect(parseJob(data, ENGINE).result).toBe(resultKey(parseJob(data, ENGINE), ENGINE));
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
        expect(Object.keys(ERROR_CODES)).toContain(error.code);
      }
    });
    fc.assert(refuses, { numRuns: 1_000 * FUZZ_FACTOR });
  });
});

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

describe('names on the farm', () => {
  it('are the same at every try, and differ by picture, pack and engine', () => {
    expect(jobId(jobOf())).toBe(jobId(again(jobOf())));
    expect(jobId({ batch: 'b', output: 'A.png' })).not.toBe(jobId({ batch: 'b', output: 'a.png' }));
    const queue = { pack: SHA, engine: ENGINE, memory: '2gb' } as const;
    expect(queueName(queue)).toMatch(/^[0-9a-f]{16}-2gb$/u);
    expect(queueName({ ...queue, engine: '2' })).not.toBe(queueName(queue));
  });

  it('of a result say what decides its bytes, and previews do not', () => {
    expect(resultKey(jobOf({ previews: true }), ENGINE)).toBe(jobOf().result);
    for (const other of [jobOf({ seed: 1 }), jobOf({ source: 'd'.repeat(64) }), jobOf({ provider: 'cpu' })])
      expect(other.result).not.toBe(jobOf().result);
  });

  it('say what memory a job needs, and a worker takes what it can hold', () => {
    const gib = 1024 ** 3;
    expect([1, 2, 2.1, 8, 9].map((size) => classOf(size * gib))).toEqual(['2gb', '2gb', '8gb', '8gb', 'more']);
    expect([1, 4, 8, 20].map((size) => classesWithin(size * gib))).toEqual([['2gb'], ['2gb'], ['2gb', '8gb'], ['2gb', '8gb', 'more']]);
  });

  it('reach every picture of a request', () => {
    const request = jobOf({ mask: 'm', control: { kind: 'canny', map: 'k' }, copy: { mask: 'y' }, source: 's' }).request;
    const names = new Map(namedPictures(request).map((id) => [id, `${id}-new`]));
    expect(names.size).toBe(4);
    expect(namedPictures(renamePictures(request, names))).toEqual([...names.values()]);
  });
});
