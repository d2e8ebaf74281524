import { JSON_OPTION, numberOf, parseCommandLine } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { runBuilt } from '../run-built.js';

const USAGE = `Usage: scalebrush serve [--port N] [--open]

Opens the window in a browser of this machine; other machines cannot reach it.
The printed address opens one browser; Enter prints another one.

Options:
  --port N  the port (default: any free one); with the same one, open pages go on after a restart
  --open    open the browser
  --json    print {"url", "port"} as one JSON object`;

/** The window, served to a browser. */
export const serveCommand: Command = { name: 'serve', summary: 'show the window in a browser', usage: USAGE, run };

async function run(args: readonly string[], context: Context): Promise<number> {
  const options = { ...JSON_OPTION, port: { type: 'string' }, open: { type: 'boolean', default: false } } as const;
  const { values } = parseCommandLine({ args, options, positionals: [] });
  numberOf(values.port, '--port');
  return runBuilt('main/server.js', args, context);
}
