import type { Service } from '#service/service.js';

/** What a command may touch. */
export interface Context {
  /** Opened at the first question: help and refusals cost no inference process. */
  readonly service: () => Promise<Service>;
  /** Results, to stdout. */
  readonly print: (text: string) => void;
  /** Progress and remarks, to stderr. */
  readonly log: (text: string) => void;
  /** Aborted by the first interrupt. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What `--help` prints. */
  readonly usage: string;
  /** Returns the exit code; failures are thrown. */
  readonly run: (args: readonly string[], context: Context) => Promise<number>;
}
