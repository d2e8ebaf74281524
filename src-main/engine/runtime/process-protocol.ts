import type { Cancellation } from '#base/cancellation.js';
import { CancelledError, toErrorData, type ErrorData } from '#contract/errors.js';
import type { MaybeUtility, MessagePort } from '#contract/desktop.js';

/** To the inference process. */
export type Question =
  | { readonly kind: 'ask'; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: 'cancel'; readonly id: number };

/** From it. A stream gives values and then an end; a call gives an end with its value. */
export type Answer =
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'end'; readonly id: number; readonly value?: unknown }
  | { readonly kind: 'cancelled'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: ErrorData };

/** What the process can be asked: a promise for one answer, an async generator for many. */
export type Methods = Readonly<
  Record<string, (args: readonly unknown[], cancellation: Cancellation) => Promise<unknown> | AsyncGenerator<unknown, void>>
>;

/** The child's end of the channel; `process` fits it. */
export interface Port {
  send(answer: Answer): void;
  onQuestion(listener: (question: Question) => void): void;
}

/** Answers questions over the port. Cancelling is soft: the method sees it at its next look. */
export function answerQuestions(methods: Methods, port: Port): void {
  const running = new Map<number, { aborted: boolean; reason: unknown }>();
  port.onQuestion((question) => {
    if (question.kind === 'cancel') {
      const cancellation = running.get(question.id);
      if (cancellation) cancellation.aborted = true;
      return;
    }
    const cancellation = { aborted: false, reason: undefined };
    running.set(question.id, cancellation);
    void answer(methods, question, { port, cancellation }).finally(() => running.delete(question.id));
  });
}

async function answer(
  methods: Methods,
  { id, method, args }: Extract<Question, { kind: 'ask' }>,
  { port, cancellation }: { readonly port: Port; readonly cancellation: Cancellation },
): Promise<void> {
  try {
    const asked = methods[method];
    if (!asked) throw new Error(`Expected a known method but received "${method}".`);
    const result = asked(args, cancellation);
    if (!(Symbol.asyncIterator in result)) {
      port.send({ kind: 'end', id, value: await result });
      return;
    }
    for await (const value of result) {
      port.send({ kind: 'value', id, value });
      // Session runs block this thread; only a turn of the event loop lets a cancel come in.
      await new Promise(setImmediate);
    }
    port.send({ kind: 'end', id });
  } catch (error) {
    port.send(error instanceof CancelledError ? { kind: 'cancelled', id } : { kind: 'error', id, error: toErrorData(error) });
  }
}

/** Serves the methods to the process that started this one, and ends with it. */
export function serve(methods: Methods): void {
  const { parentPort } = process as MaybeUtility;
  if (parentPort) {
    // The first message brings the port to the service; the program itself asks nothing.
    parentPort.once('message', ({ ports: [port] }) => {
      if (port) answerQuestions(methods, portOf(port));
    });
    return;
  }
  answerQuestions(methods, {
    // Whoever asked may be gone; then nobody is left to hear of it.
    send: (message) => process.send?.(message, undefined, undefined, () => undefined),
    onQuestion: (listener) => process.on('message', listener),
  });
  process.on('disconnect', () => process.exit(0));
}

function portOf(port: MessagePort): Port {
  return {
    send: (message) => {
      port.postMessage(message);
    },
    onQuestion: (listener) => {
      port.on('message', ({ data }) => {
        listener(data as Question);
      });
      // Questions wait for this; one that nobody hears is lost.
      port.start();
    },
  };
}
