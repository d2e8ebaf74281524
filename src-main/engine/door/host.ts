import { serve } from '#engine/runtime/process-protocol.js';
import { sweepTelemetryFiles } from '#engine/runtime/telemetry-files.js';
import { tolerateClosedPipes } from './closed-pipes.js';
import { LocalEngine } from './local-engine.js';
import { answeringEngine } from './wire.js';

/** Entry of the inference process: the engine, answering over the process's message port. */
tolerateClosedPipes();
void sweepTelemetryFiles();
serve(answeringEngine(new LocalEngine()));
