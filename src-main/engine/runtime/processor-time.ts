import { readFile } from 'node:fs/promises';

const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** The processor time that a process has used, in the system's ticks; undefined where the system does not tell, or it is gone. */
export async function processorTimeOf(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined;
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  // Its name, in brackets, may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields && Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
}
