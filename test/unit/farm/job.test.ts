import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ExpectedError } from '#contract/errors.js';
import type { FarmJob } from '#contract/farm.js';
import { EditRequest } from '#contract/request.js';
import { classesWithin, classOf, jobId, queueName, resultKey } from '#farm/job.js';
import { parseJob, wireOf } from '#farm/wire.js';
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
const waiting = (job = jobOf()) => ({ id: jobId(job), data: again(wireOf(job)) as unknown });

describe('a job of the farm', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['an edit', {}],
    ['every picture', { mask: 'd'.repeat(64), control: { kind: 'canny', map: 'e'.repeat(64), low: 5 }, copy: { mask: 'd'.repeat(64) } }],
    [
      'settings of every depth',
      {
        margins: { left: 3 },
        seed: 7,
        detailSeeds: [1, 2],
        redraw: { scale: 3, share: 0.5, seed: 8 },
        output: { format: 'jpeg', quality: 5 },
      },
    ],
    ['another task', { task: 'expand', margins: { top: 9 }, size: undefined }],
  ])('comes through as it was: %s', (_, wish) => {
    expect(parseJob(waiting(jobOf(wish)), ENGINE)).toEqual(jobOf(wish));
  });

  it('takes few bytes while it waits', () => {
    const job = jobOf({ instruction: 'make it warmer', seed: 3, output: { format: 'jpeg', recipe: true } });
    expect(JSON.stringify(wireOf(job)).length).toBeLessThan(320);
  });

  type Wire = Readonly<Record<string, unknown>> & { readonly r: object };
  it.each<[string, (wire: Wire) => unknown]>([
    ['an unknown version', (wire) => ({ ...wire, v: 2 })],
    ['a field that nobody knows', (wire) => ({ ...wire, command: 'rm' })],
    ['a field of the request that nobody knows', (wire) => ({ ...wire, r: { ...wire.r, path: '/etc/passwd' } })],
    ['a nested field that nobody knows', (wire) => ({ ...wire, r: { ...wire.r, output: { format: 'png', url: 'http://x' } } })],
    ['a field that says what is so anyway', (wire) => ({ ...wire, r: { ...wire.r, count: 1 } })],
    ['a request without its task', (wire) => ({ ...wire, r: { source: '0', instruction: 'x' } })],
    ['a path for a result', (wire) => ({ ...wire, o: '../a.png' })],
    ['a result that is no picture', (wire) => ({ ...wire, o: 'a.sh' })],
    ['a picture by another name than its digest', (wire) => ({ ...wire, r: { ...wire.r, source: 'some-picture' } })],
    ['a picture that nothing names', (wire) => ({ ...wire, i: [...(wire['i'] as string[]), wire['p']] })],
    ['a digest that is spelt in another way', (wire) => ({ ...wire, p: (wire['p'] as string).replace(/.$/u, 'x') })],
    ['tokens beside the store', (wire) => ({ ...wire, r: { ...wire.r, resume: { pack: 'p', schedule: [[1, 1]], tokens: [] } } })],
    ['another key', (wire) => ({ ...wire, k: wire['p'] })],
    ['a task without what it needs', () => wireOf(jobOf({ task: 'fill' }))],
    ['more than a job may be', () => wireOf(jobOf({ instruction: 'x'.repeat(70_000) }))],
    ['a list', () => []],
    ['nothing', () => undefined],
    ['a nest', () => JSON.parse('['.repeat(3_000) + ']'.repeat(3_000)) as unknown],
    ['a prototype', (wire) => JSON.parse(JSON.stringify(wire).replace('{', '{"__proto__":{"x":1},')) as unknown],
  ])('is refused by schema before anything is read: %s', (_, change) => {
    const { id, data } = waiting();
    expect(() => parseJob({ id, data: change(data as Wire) }, ENGINE)).toThrow(ExpectedError);
  });

  it.each([undefined, '', 'x', `${'c'.repeat(32)}-${'0'.repeat(16)}`, `repeat:${'b'.repeat(32)}`, `../${'b'.repeat(32)}`])(
    'is refused under another name than its own: %s',
    (id) => {
      expect(() => parseJob({ id, data: waiting().data }, ENGINE)).toThrow(ExpectedError);
    },
  );

  it('is refused by a worker of another version, whose picture would be another', () => {
    expect(() => parseJob(waiting(), '2.0.0 1.30.0')).toThrow('Expected the key of its result');
  });

  it('survives whatever stands in Redis', { timeout: 30_000 * FUZZ_FACTOR }, () => {
    const { id, data } = waiting();
    const whole = JSON.stringify(data);
    const mutated = fc
      .tuple(fc.nat(whole.length - 1), fc.nat(8), fc.string({ maxLength: 8 }))
      .map(([at, cut, text]) => whole.slice(0, at) + text + whole.slice(at + cut));
    const fields = fc.record(
      { v: fc.anything(), o: fc.anything(), r: fc.anything(), i: fc.anything(), p: fc.anything(), k: fc.anything(), t: fc.anything() },
      { requiredKeys: [] },
    );
    const settings = fc.dictionary(fc.constantFrom(...Object.keys(jobOf().request), 'resume', 'mask', 'control', 'size'), fc.jsonValue());
    const hostile = fc.oneof(
      mutated.map(jsonIn),
      fc.jsonValue(),
      fields,
      fields.map((some) => ({ ...(data as object), ...some })),
      settings.map((some) => ({ ...(data as object), r: { ...(data as { r: object }).r, ...some } })),
    );
    const refuses = fc.property(fc.oneof(fc.constant(id), fc.string()), hostile, (name, value) => {
      try {
        // What is let through is what would have been submitted.
        const job = parseJob({ id: name, data: value }, ENGINE);
        expect([jobId(job), job.result, again(wireOf(job))]).toEqual([name, resultKey(job, ENGINE), again(value)]);
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
