import type { Cancellation } from '#base/cancellation.js';
import { serve } from '#engine/runtime/process-protocol.js';
import { sweepTelemetryFiles } from '#engine/runtime/telemetry-files.js';
import { tolerateClosedPipes } from './closed-pipes.js';
import { LocalEngine } from './local-engine.js';

/** Entry of the inference process: the engine, answering over the process's message port. */
type Args<
  M extends
    | 'forecast'
    | 'controlMap'
    | 'describe'
    | 'convert'
    | 'carry'
    | 'readMask'
    | 'layers'
    | 'tokenize'
    | 'decode'
    | 'checkInstruction'
    | 'inspect',
> = Parameters<LocalEngine[M]>;

tolerateClosedPipes();
void sweepTelemetryFiles();
const engine = new LocalEngine();

serve({
  run: (args, cancellation: Cancellation) => engine.run((args as Parameters<LocalEngine['run']>)[0], cancellation),
  forecast: (args) => engine.forecast(...(args as Args<'forecast'>)),
  controlMap: (args) => engine.controlMap(...(args as Args<'controlMap'>)),
  describe: (args) => engine.describe(...(args as Args<'describe'>)),
  convert: (args) => engine.convert(...(args as Args<'convert'>)),
  carry: (args) => engine.carry(...(args as Args<'carry'>)),
  readMask: (args) => engine.readMask(...(args as Args<'readMask'>)),
  layers: (args) => engine.layers(...(args as Args<'layers'>)),
  tokenize: (args) => engine.tokenize(...(args as Args<'tokenize'>)),
  decode: (args) => engine.decode(...(args as Args<'decode'>)),
  checkInstruction: (args) => engine.checkInstruction(...(args as Args<'checkInstruction'>)),
  providers: () => engine.providers(),
  machine: () => engine.machine(),
  inspect: (args) => engine.inspect(...(args as Args<'inspect'>)),
  writeWeights: (args, cancellation: Cancellation) =>
    engine.writeWeights((args as Parameters<LocalEngine['writeWeights']>)[0], cancellation),
});
