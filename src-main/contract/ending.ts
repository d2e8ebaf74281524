import { CancelledError, fromErrorData, toErrorData, type ErrorData } from './errors.js';

/** How a run ends that is not done. */
export type Ending = { readonly type: 'failed'; readonly error: ErrorData } | { readonly type: 'cancelled' };

/** The last event of a run that threw. What befalls one that is not wanted any more is no failure. */
export function endingOf(error: unknown, signal: { readonly aborted: boolean }): Ending {
  return error instanceof CancelledError || signal.aborted ? { type: 'cancelled' } : { type: 'failed', error: toErrorData(error) };
}

/** The event of a run that goes on or is done. Throws what it ended with otherwise: the error that it was, or CancelledError. */
export function expectGoing<E extends { readonly type: string }>(event: E): Exclude<E, Ending> {
  if (isFailed(event)) throw fromErrorData(event.error);
  if (event.type === 'cancelled') throw new CancelledError('Cancelled.');
  return event as Exclude<E, Ending>;
}

function isFailed(event: { readonly type: string }): event is Extract<Ending, { type: 'failed' }> {
  return event.type === 'failed';
}
