const REPORT_MS = 200;

/** Work that runs by itself; every now and then says how far it is, and at last what came of it. */
export async function* reportOn<T, E>(work: Promise<T>, report: () => E): AsyncGenerator<E, T> {
  let done: { readonly value: T } | undefined;
  const ended = work.then((value) => (done = { value }));
  // Who leaves early does not hear how it ended.
  ended.catch(() => undefined);
  while (done === undefined) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, REPORT_MS))]);
    yield report();
  }
  return done.value;
}
