import { resolve } from 'node:path';
import { JSON_OPTION, parseCommandLine } from '../arguments.js';
import type { Command, Context } from '../command.js';

/** What a weights file says about itself; nothing in it is run. */
export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'say what a weights file holds, as JSON',
  usage:
    'Usage: scalebrush inspect FILE\n\nPrints tensors, recognised model, metadata, licence, what rounding its linear layers to each precision changes in their outputs\n(a share, measured on some), and the instructions of this machine for 8-bit integers as one JSON object; refuses hostile files.',
  run,
};

async function run(args: readonly string[], context: Context): Promise<number> {
  const { positionals } = parseCommandLine({ args, options: JSON_OPTION, positionals: ['FILE'] });
  const [file = ''] = positionals;
  const service = await context.service();
  const report = await service.inspect(resolve(file));
  const rounding = await service.roundingErrors(resolve(file));
  const { integers } = await service.call('machine.describe', {});
  context.print(JSON.stringify({ ...report, ...(rounding && { rounding, integers }) }, undefined, 2));
  return 0;
}
