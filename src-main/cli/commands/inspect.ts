import { resolve } from 'node:path';
import { JSON_OPTION, parseCommandLine } from '../arguments.js';
import type { Command, Context } from '../command.js';

/** What a weights file says about itself; nothing in it is run. */
export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'say what a weights file holds, as JSON',
  usage:
    'Usage: scalebrush inspect FILE\n\nPrints tensors, recognised model, metadata and licence as one JSON object; refuses hostile files.',
  run,
};

async function run(args: readonly string[], context: Context): Promise<number> {
  const { positionals } = parseCommandLine({ args, options: JSON_OPTION, positionals: ['FILE'] });
  const [file = ''] = positionals;
  const service = await context.service();
  context.print(JSON.stringify(await service.inspect(resolve(file)), undefined, 2));
  return 0;
}
