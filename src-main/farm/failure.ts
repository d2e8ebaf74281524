import { ERROR_CODES, ExpectedError, toErrorData, type ErrorData } from '#contract/errors.js';

/** What a job that was cancelled says of itself. */
export const CANCELLED = 'cancelled';
/** What BullMQ says of a job whose workers died. */
const STALLED = 'stalled more than allowable';

/** One line for the queue: a code, and why. */
export function failureLine(error: unknown): string {
  const { code, message } = toErrorData(error);
  return `${code}: ${message}`;
}

export function mayRetry(error: unknown): boolean {
  return error instanceof ExpectedError && ERROR_CODES[error.code].retry;
}

/** The line as the error that it was. */
export function failureOf(line: string): ErrorData {
  if (line.includes(STALLED))
    return dataOf(
      'inference.died',
      'Expected a worker to live through this picture but two ended during it; it may need more memory than they have.',
    );
  const [code = '', ...rest] = line.split(': ');
  if (isCode(code)) return dataOf(code, rest.join(': '));
  return toErrorData(new Error(code === 'bug' ? rest.join(': ') : line));
}

function dataOf(code: keyof typeof ERROR_CODES, message: string): ErrorData {
  return { code, message, advice: ERROR_CODES[code].advice };
}

function isCode(text: string): text is keyof typeof ERROR_CODES {
  return Object.hasOwn(ERROR_CODES, text);
}
