import { expect, it } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { failureLine, failureOf, mayRetry } from '#farm/failure.js';

it('carries a failure through the queue as one line', () => {
  const error = new ExpectedError('image.unreadable', 'Expected a picture: received something else.');
  expect(failureOf(failureLine(error))).toMatchObject({ code: 'image.unreadable', message: error.message });
  expect(failureOf(failureLine(new Error('a bug')))).toMatchObject({ code: 'bug', message: 'a bug' });
  expect(failureOf('job stalled more than allowable limit').code).toBe('inference.died');
  expect(failureOf('whatever stands there').code).toBe('bug');
});

it('tries again what the table of codes says may be', () => {
  expect([new ExpectedError('inference.died', ''), new ExpectedError('image.unreadable', ''), new Error('a bug')].map(mayRetry)).toEqual([
    true,
    false,
    false,
  ]);
});
