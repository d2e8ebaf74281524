import { CancelledError, ExpectedError, toErrorData } from '#contract/errors.js';
import type { Service } from '#service/service.js';
import { refused } from './arguments.js';
import type { Command, Context } from './command.js';
import { batchCommand } from './commands/batch.js';
import { benchCommand } from './commands/bench.js';
import { controlCommand } from './commands/control.js';
import { selectCommand } from './commands/select.js';
import { decodeCommand, tokenizeCommand } from './commands/tokens.js';
import { editCommand, expandCommand, fillCommand, generateCommand } from './commands/tasks.js';
import { farmCommand } from './commands/farm.js';
import { inspectCommand } from './commands/inspect.js';
import { packsCommand } from './commands/packs.js';
import { reportTokenizerCommand } from './commands/report-tokenizer.js';
import { serveCommand } from './commands/serve.js';

export const EXIT = { ok: 0, bug: 1, refused: 2, cancelled: 130 } as const;

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [
  editCommand,
  fillCommand,
  expandCommand,
  generateCommand,
  batchCommand,
  farmCommand,
  controlCommand,
  selectCommand,
  tokenizeCommand,
  reportTokenizerCommand,
  decodeCommand,
  inspectCommand,
  packsCommand,
  serveCommand,
  benchCommand,
];

/** The world around the command line; tests bring their own. */
export interface CliWorld {
  readonly version: string;
  readonly openService: () => Promise<Service>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly signal: AbortSignal;
  /** Called with the service once it is open, so that a second interrupt can end it hard. */
  readonly onOpened?: (service: Service) => void;
}

/** Runs one command line and returns the exit code: 0 done, 2 refused, 1 bug, 130 cancelled. Never throws. */
export async function runCli(args: readonly string[], world: CliWorld): Promise<number> {
  const session = openLater(world);
  try {
    return await dispatch(args, world, {
      service: session.service,
      print: (text) => {
        world.stdout(`${text}\n`);
      },
      log: logOf(world),
      signal: world.signal,
    });
  } catch (error) {
    return report(error, world, args.includes('--json'));
  } finally {
    await session.close();
  }
}

/** What a file and then a run with it tell is told once. */
function logOf({ stderr }: CliWorld): (text: string) => void {
  const notes = new Set<string>();
  return (text) => {
    if (notes.has(text)) return;
    if (text.startsWith('note: ')) notes.add(text);
    stderr(`${text}\n`);
  };
}

function openLater({ openService, onOpened }: CliWorld): { service: () => Promise<Service>; close: () => Promise<void> } {
  let opened: Promise<Service> | undefined;
  const open = async (): Promise<Service> => {
    const service = await openService();
    onOpened?.(service);
    return service;
  };
  return {
    service: () => (opened ??= open()),
    close: async () => {
      const service = await opened?.catch(() => undefined);
      await service?.close();
    },
  };
}

async function dispatch([name, ...rest]: readonly string[], world: CliWorld, context: Context): Promise<number> {
  if (name === '--version') return answer(world, world.version);
  if (name === '--help' || name === 'help') return answer(world, overview());
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined)
    throw refused(
      `Expected a command (${COMMANDS.map((each) => each.name).join(', ')}) but received ${name === undefined ? 'none' : JSON.stringify(name)}.`,
    );
  return rest.includes('--help') ? answer(world, command.usage) : command.run(rest, context);
}

function answer(world: CliWorld, text: string): number {
  world.stdout(`${text}\n`);
  return EXIT.ok;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return ['Usage: scalebrush COMMAND …', '', ...lines, '', 'scalebrush COMMAND --help says more; --version prints the version.'].join('\n');
}

function report(error: unknown, world: CliWorld, json: boolean): number {
  const { code, message, advice, details } =
    error instanceof CancelledError
      ? { code: 'cancelled', message: 'Cancelled.', advice: 'Run the command again.', details: undefined }
      : toErrorData(error);
  if (json) world.stdout(`${JSON.stringify({ error: { code, message, advice, details } })}\n`);
  if (error instanceof CancelledError) return said(world, 'Cancelled.', EXIT.cancelled);
  if (error instanceof ExpectedError) return said(world, `${message} ${advice}`, EXIT.refused);
  return said(world, error instanceof Error ? (error.stack ?? message) : message, EXIT.bug);
}

function said(world: CliWorld, line: string, code: number): number {
  world.stderr(`scalebrush: ${line}\n`);
  return code;
}
