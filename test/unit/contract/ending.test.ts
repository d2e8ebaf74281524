import { describe, expect, it } from 'vitest';
import { endingOf, expectGoing } from '#contract/ending.js';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';

const wanted = { aborted: false };
const unwanted = { aborted: true };

describe('a run', () => {
  it.each<[string, unknown, typeof wanted, object]>([
    [
      'fails with what was foreseen',
      new ExpectedError('mask.empty', 'Expected a mask.'),
      wanted,
      { type: 'failed', error: { code: 'mask.empty' } },
    ],
    ['fails with a bug', new TypeError('x is undefined'), wanted, { type: 'failed', error: { code: 'bug', message: 'x is undefined' } }],
    ['is cancelled', new CancelledError('Cancelled.'), wanted, { type: 'cancelled' }],
    ['that is not wanted any more is cancelled, whatever it ends with', new Error('EPIPE'), unwanted, { type: 'cancelled' }],
  ])('%s', (_, error, signal, ending) => {
    expect(endingOf(error, signal)).toMatchObject(ending);
  });

  it('goes on, or throws what it ended with', () => {
    const scale: EditEvent = { type: 'scale', candidate: 0, scale: 1, of: 6, tokens: 1, ms: 1 };
    expect(expectGoing(scale)).toBe(scale);
    const failed = endingOf(new ExpectedError('mask.empty', 'Expected a mask.', { details: { side: 3 } }), wanted);
    expect(() => expectGoing(failed)).toThrow(expect.objectContaining({ code: 'mask.empty', details: { side: 3 } }));
    expect(() => expectGoing(endingOf(new Error('x'), wanted))).toThrow('x');
    expect(() => expectGoing(endingOf(null, unwanted))).toThrow(CancelledError);
  });
});
