import { setTimeout as pause } from 'node:timers/promises';
import type { Cancellation } from '#base/cancellation.js';
import { CancelledError, ExpectedError, fromErrorData } from '#contract/errors.js';
import { startChild, type InferenceChild } from './child.js';
import type { Answer, Question } from './process-protocol.js';
import { statusOf } from './process-status.js';

export interface InferenceProcessOptions {
  /** The built script that calls `serve`. */
  readonly entry: string;
  /** How long a soft cancel may take before the process is killed; a single scale of a large model can be long. */
  readonly hardCancelMs?: number;
}

interface Pending {
  receive(answer: Answer): void;
  died(error: Error): void;
}

const HARD_CANCEL_MS = 10_000;
/** A process that uses no processor time while it is looked at so often after a cancel does not work: it was stopped, or its driver hangs. */
const LOOK_MS = 200;
const STILL_LOOKS = 4;
/** Nobody can cancel a call. It may wait for a slow disk, but not for ever, and not for a process that was stopped. */
const CALL_STILL_LOOKS = 150;
/** How long one that is told to end may take. */
const CLOSE_MS = 2000;
/** How often a waiting stream looks whether it is still wanted. */
const CANCEL_POLL_MS = 20;

/**
 * The process that holds the sessions. ONNX Runtime blocks its thread while it runs and may crash
 * with a driver or a cut weights file; here it can do both without the application noticing more
 * than an error with a code. A new process starts with the next question.
 */
export class InferenceProcess {
  readonly #options: InferenceProcessOptions;
  readonly #pending = new Map<number, Pending>();
  #child: InferenceChild | undefined;
  #nextId = 0;
  #closing = false;

  constructor(options: InferenceProcessOptions) {
    this.#options = options;
  }

  /** Absent until the first question and after a death. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Asks for one answer. */
  call<T>(method: string, args: readonly unknown[]): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const id = this.#ask(method, args, {
        receive(answer) {
          if (answer.kind === 'end') resolve(answer.value as T);
          else reject(failureOf(answer));
        },
        died: reject,
      });
      void this.#endIfStill(id, CALL_STILL_LOOKS);
    });
  }

  /** Asks for many answers. Aborting asks the process to stop, and kills it where it does not listen in time. */
  async *stream<T>(method: string, args: readonly unknown[], signal: Cancellation): AsyncGenerator<T, void> {
    const inbox = new Inbox();
    const id = this.#ask(method, args, inbox);
    // Until it is cancelled it may take as long as it likes, unless somebody has stopped it.
    void this.#endIfStill(id, Number.POSITIVE_INFINITY);
    const watch = this.#watch(id, signal);
    try {
      for (;;) {
        const answer = await inbox.next();
        if (answer.kind === 'end') return;
        if (answer.kind !== 'value') throw failureOf(answer);
        yield answer.value as T;
      }
    } finally {
      clearInterval(watch);
      this.#cancel(id);
    }
  }

  /** Ends the process at once; whatever it was doing fails with `inference.died`. */
  kill(): void {
    this.#child?.kill();
  }

  /** For good: what is asked from now on fails with `inference.died`. A process started for it would be nobody's to end. */
  async close(): Promise<void> {
    // An idle child is let go of; waiting for its end must hold this program again, whatever answer still comes in.
    this.#closing = true;
    const child = this.#child;
    if (!child) return;
    child.hold(true);
    child.stop();
    // One that was stopped hears nothing.
    const timer = setTimeout(() => { child.kill(); }, CLOSE_MS); // prettier-ignore
    await child.ended;
    clearTimeout(timer);
  }

  #ask(method: string, args: readonly unknown[], pending: Pending): number {
    const id = this.#nextId++;
    if (this.#closing) {
      pending.died(new ExpectedError('inference.died', 'The inference process was closed.'));
      return id;
    }
    this.#pending.set(id, pending);
    this.#send({ kind: 'ask', id, method, args });
    return id;
  }

  #send(question: Question): void {
    this.#child ??= this.#start();
    const child = this.#child;
    this.#holdWhileBusy(child);
    child.send(question);
  }

  #start(): InferenceChild {
    const child = startChild(this.#options.entry, (answer: Answer) => {
      const pending = this.#pending.get(answer.id);
      if (answer.kind !== 'value') this.#pending.delete(answer.id);
      this.#holdWhileBusy(child);
      pending?.receive(answer);
    });
    void child.ended.then((how) => {
      this.#ended(child, how);
    });
    return child;
  }

  /** An engine at work keeps this program alive; an idle one must not. */
  #holdWhileBusy(child: InferenceChild): void {
    child.hold(this.#pending.size > 0 || this.#closing);
  }

  #ended(child: InferenceChild, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of waiting) pending.died(new ExpectedError('inference.died', `The inference process ended unexpectedly (${how}).`));
  }

  #watch(id: number, signal: Cancellation): NodeJS.Timeout {
    const watch = setInterval(() => {
      if (!signal.aborted) return;
      clearInterval(watch);
      this.#cancel(id);
    }, CANCEL_POLL_MS);
    return watch;
  }

  /** Soft first; a process that does not answer in time is killed, and one that does not work at all is not waited for. */
  #cancel(id: number): void {
    if (!this.#pending.has(id)) return;
    this.#send({ kind: 'cancel', id });
    const child = this.#child;
    void this.#endIfStill(id, STILL_LOOKS);
    const timer = setTimeout(() => {
      if (this.#pending.has(id)) child?.kill();
    }, this.#options.hardCancelMs ?? HARD_CANCEL_MS);
    timer.unref();
  }

  /** While it computes it uses the processor. One that was stopped has fewer looks: nothing that it waits for will come. */
  async #endIfStill(id: number, mostLooks: number): Promise<void> {
    const child = this.#child;
    let before = statusOf(child?.pid);
    for (let still = 0; before && this.#pending.has(id);) {
      await pause(LOOK_MS, undefined, { ref: false });
      const now = statusOf(child?.pid);
      still = now?.ticks === before.ticks ? still + 1 : 0;
      before = now;
      if (still < (now?.state === 'T' ? STILL_LOOKS : mostLooks)) continue;
      if (this.#pending.has(id)) child?.kill();
      return;
    }
  }
}

/** Answers that arrived before anyone asked for them. */
class Inbox implements Pending {
  readonly #answers: Answer[] = [];
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  receive(answer: Answer): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  died(error: Error): void {
    this.#error = error;
    this.#wake?.();
  }

  async next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer) return answer;
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

function failureOf(answer: Answer): Error {
  if (answer.kind === 'cancelled') return new CancelledError('Cancelled.');
  if (answer.kind === 'error') return fromErrorData(answer.error);
  return new Error(`Expected one answer but received ${answer.kind}.`);
}
