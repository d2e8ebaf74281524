/**
 * The two members of `AbortSignal` that the shared rooms need. They compile without DOM or
 * Node types, so they cannot name the class itself; every real signal fits.
 */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** Work that nobody can call back. */
export const NEVER_CANCELLED: Cancellation = { aborted: false, reason: undefined };
