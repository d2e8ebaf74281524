import type { Command } from '../command.js';
import { runBuilt } from '../run-built.js';

/** Speed of this machine, as a table. */
export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure this machine',
  usage: 'Usage: scalebrush bench […]\n\nRuns the benchmark; its own options follow.',
  run: (args, context) => runBuilt('main/bench.js', args, context),
};
