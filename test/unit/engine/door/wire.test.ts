import { expect, it } from 'vitest';
import { NEVER_CANCELLED, type Cancellation } from '#base/cancellation.js';
import type { Engine } from '#engine/door/engine.js';
import { answeringEngine, askingEngine } from '#engine/door/wire.js';
import type { InferenceProcess } from '#engine/runtime/process.js';
import { fakeEngine } from '../../../support/fake-engine.js';

/** An engine whose every method gives back its name and what it was given. */
function echo(): Engine {
  const names = Object.keys(fakeEngine()).filter((name) => typeof fakeEngine()[name as keyof Engine] === 'function');
  const methods = names.map((name) => [
    name,
    ['run', 'select', 'writeWeights'].includes(name)
      ? async function* (...args: readonly unknown[]) {
          yield await Promise.resolve([name, ...args]);
        }
      : (...args: readonly unknown[]) => Promise.resolve([name, ...args]),
  ]);
  return Object.fromEntries(methods) as Engine;
}

const inProcess: Cancellation = { aborted: false, reason: 'of the process' };
const methods = answeringEngine(echo());
/** The process without the process: what it is asked is answered at once. */
const wire = {
  call: (name: string, args: readonly unknown[]) => methods[name]!(args, inProcess),
  stream: (name: string, args: readonly unknown[]) => methods[name]!(args, inProcess),
} as unknown as InferenceProcess;

it('brings every method of an engine to the other end, with what it is given', async () => {
  const asked = askingEngine(wire) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown> | AsyncIterable<unknown>>;
  const { kill: _kill, close: _close, ...wanted } = echo();
  expect(Object.keys(asked).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, method] of Object.entries(asked)) {
    const answer = method('a', 'b', NEVER_CANCELLED);
    if (!(Symbol.asyncIterator in answer)) expect(await answer).toEqual([name, 'a', 'b', NEVER_CANCELLED]);
    // A signal stays where it is: the process has one of its own.
    else for await (const event of answer) expect(event).toEqual([name, 'a', 'b', inProcess]);
  }
});
