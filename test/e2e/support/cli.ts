import { execFile } from 'node:child_process';
import path from 'node:path';

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
export async function scalebrushJson(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await scalebrush(...args, '--json');
  if (code !== 0) throw new Error(`Expected exit code 0 of ${args.join(' ')} but received ${code}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}
