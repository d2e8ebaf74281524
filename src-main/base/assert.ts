/** Makes a forgotten case of a union a compile error, and an impossible value a loud one. */
export function assertNever(value: never): never {
  throw new Error(`Expected every case to be handled but received ${String(value)}.`);
}

/** A broken promise between our own functions: a bug, never the user's mistake. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** `list[index]` for an index that the caller knows to be inside. */
export function at<T>(list: readonly T[], index: number): T {
  invariant(index >= 0 && index < list.length, `Expected an index below ${String(list.length)} but received ${String(index)}.`);
  return list[index] as T;
}
