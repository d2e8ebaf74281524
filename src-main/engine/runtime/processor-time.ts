import { readFile } from 'node:fs/promises';

const STATE = 0;
const USER_TIME = 11;
const SYSTEM_TIME = 12;

/** What a process does, as the system sees it. */
export interface Activity {
  /** The processor time that it has used, in the system's ticks. */
  readonly ticks: number;
  /** Somebody has stopped it: it goes on when it is told to, or never. */
  readonly isStopped: boolean;
}

/** Undefined where the system does not tell, or it is gone. */
export async function activityOf(pid: number | undefined): Promise<Activity | undefined> {
  if (pid === undefined) return undefined;
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  // Its name, in brackets, may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields && { ticks: Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]), isStopped: fields[STATE] === 'T' };
}
