import type { Cancellation } from '#base/cancellation.js';
import type { InferenceProcess } from '#engine/runtime/process.js';
import type { Methods } from '#engine/runtime/process-protocol.js';
import type { Engine } from './engine.js';

/** What the engine's process is asked; the rest of an engine is the process itself. */
export type AskedEngine = Omit<Engine, 'kill' | 'close'>;

type Method = keyof AskedEngine;
/** One answer, or many, which can be cancelled. */
type Kind<M extends Method> = ReturnType<AskedEngine[M]> extends AsyncGenerator ? 'stream' : 'call';

/** The wire between client and process: both are made of this table, and it is made of `Engine`. */
const WIRE: { readonly [M in Method]: Kind<M> } = {
  run: 'stream',
  forecast: 'call',
  controlMap: 'call',
  describe: 'call',
  convert: 'call',
  losses: 'call',
  carry: 'call',
  blend: 'call',
  frame: 'call',
  readMask: 'call',
  select: 'stream',
  layers: 'call',
  tokenize: 'call',
  decode: 'call',
  reportTokenizer: 'call',
  tokenizerFacts: 'call',
  checkInstruction: 'call',
  providers: 'call',
  machine: 'call',
  inspect: 'call',
  roundingErrors: 'call',
  writeWeights: 'stream',
};

type AnyMethod = (...args: readonly unknown[]) => never;

/** An engine whose methods ask the process. */
export function askingEngine(process: Pick<InferenceProcess, 'call' | 'stream'>): AskedEngine {
  const asking = Object.entries(WIRE).map(([method, kind]) => [
    method,
    kind === 'call'
      ? (...args: readonly unknown[]) => process.call(method, args)
      : (...args: readonly unknown[]) => process.stream(method, args.slice(0, -1), args.at(-1) as Cancellation),
  ]);
  return Object.fromEntries(asking) as AskedEngine;
}

/** The other end: answers with the methods of an engine. A signal does not travel; the process gives its own. */
export function answeringEngine(engine: AskedEngine): Methods {
  const answers = Object.entries(WIRE).map(([name, kind]) => {
    const method = engine[name as Method].bind(engine) as AnyMethod;
    const answer = (args: readonly unknown[], cancellation: Cancellation) =>
      kind === 'call' ? method(...args) : method(...args, cancellation);
    return [name, answer] as const;
  });
  return Object.fromEntries(answers);
}
