import os from 'node:os';

/** Which machine figures are of: a section can be measured by itself, on another machine than the rest. */
export function machine(): string {
  return `${os.cpus()[0]?.model ?? 'unknown CPU'}, ${String(os.cpus().length)} cores`;
}
