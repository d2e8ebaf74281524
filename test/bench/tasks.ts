import type { Browser, CDPSession } from '@playwright/test';

/** One task of a page's own thread. */
export interface Task {
  /** How long the thread worked on it. */
  readonly workMs: number;
  /** How long it took, with whatever else the machine did meanwhile. */
  readonly clockMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The tasks of all pages' own threads while `work` goes on, by the browser's own trace. */
export async function tasksOf(browser: Browser, work: () => Promise<void>): Promise<readonly Task[]> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel', 'devtools.timeline'] } });
  await work();
  await ended(session);
  await session.detach();
  const isMain = (event: TraceEvent): boolean => event.name === 'thread_name' && event.args.name === 'CrRendererMain';
  const threads = new Set(events.filter(isMain).map(threadOf));
  return events
    .filter((event) => event.ph === 'X' && event.name === 'RunTask' && threads.has(threadOf(event)))
    .map(({ dur = 0, tdur = 0 }) => ({ workMs: tdur / 1000, clockMs: dur / 1000 }));
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${String(pid)}/${String(tid)}`;
}

function ended(session: CDPSession): Promise<unknown> {
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  return Promise.all([complete, session.send('Tracing.end')]);
}
