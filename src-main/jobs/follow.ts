/** The part of `AbortSignal` that a transport hands over. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly signal: AbortSignal }): void;
}

/** Aborts when the other does. Aborting it ends the listening too: one signal may be followed by many, one after the other. */
export function following(signal: Signal | undefined): AbortController {
  const own = new AbortController();
  const abort = (): void => {
    own.abort();
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { signal: own.signal });
  return own;
}
