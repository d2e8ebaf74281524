import { execFile } from 'node:child_process';
import path from 'node:path';
import { runCli } from '#cli/run.js';
import { openService } from '#service/open.js';

const CLI = path.resolve('dist/main/cli.js');

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line as a user would. */
export function scalebrush(...args: readonly string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

/** The one JSON object of a run that must succeed. */
export function scalebrushJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  return jsonOf(scalebrush, args);
}

async function jsonOf(run: CommandLine['run'], args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(...args, '--json');
  if (code !== 0) throw new Error(`Expected exit code 0 of ${args.join(' ')} but received ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

export interface CommandLine {
  run(...args: readonly string[]): Promise<CliResult>;
  /** The one JSON object of a run that must succeed. */
  json(...args: readonly string[]): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

/**
 * The same commands without a start of the program for each: they run here, one after the other, over one service with the real
 * engine in its process. For what a command does; what only a program has (how it ends, what it finds when it starts) takes
 * `scalebrush`. Looks for packs where `SCALEBRUSH_HOME` says at the first command.
 */
export function openCommandLine(): CommandLine {
  let opened: ReturnType<typeof openService> | undefined;
  const run = async (...args: readonly string[]): Promise<CliResult> => {
    const told = { stdout: '', stderr: '' };
    const code = await runCli(args, {
      version: 'test',
      openService: async () => ({ ...(await (opened ??= openService())), close: () => Promise.resolve() }),
      stdout: (text) => (told.stdout += text),
      stderr: (text) => (told.stderr += text),
      signal: new AbortController().signal,
    });
    return { code, ...told };
  };
  return {
    run,
    json: (...args) => jsonOf(run, args),
    close: async () => (await opened)?.close(),
  };
}
