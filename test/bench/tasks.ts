import type { CDPSession, Page } from '@playwright/test';

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

/** As Chromium names a task of a thread in the category "toplevel"; `tdur` is the thread's own time. */
const TASK = 'ThreadControllerImpl::RunTask';

/** The tasks of all pages' own threads while `work` goes on, by the browser's own trace. Throws where the trace holds none. */
export async function tasksOf(page: Page, work: () => Promise<void>): Promise<readonly Task[]> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', { traceConfig: { includedCategories: ['toplevel'] } });
  await work();
  // A task that has not ended when the trace does is left out of it.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  await ended(session);
  await session.detach();
  const isMain = (event: TraceEvent): boolean => event.name === 'thread_name' && event.args.name === 'CrRendererMain';
  const threads = new Set(events.filter(isMain).map(threadOf));
  const tasks = events.filter((event) => event.ph === 'X' && event.name === TASK && threads.has(threadOf(event)));
  if (tasks.length === 0)
    throw new Error(`Expected tasks of a page's thread in the trace but received ${String(events.length)} other events.`);
  return tasks.map(({ dur = 0, tdur = 0 }) => ({ workMs: tdur / 1000, clockMs: dur / 1000 }));
}

/** Throws unless a task that is known to be slow is seen: the check of slow tasks could not fail. */
export async function expectSlowTaskSeen(page: Page): Promise<void> {
  const tasks = await tasksOf(page, () =>
    page.evaluate((ms) => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    }, SLOW_MS),
  );
  const longest = Math.max(...tasks.map(({ clockMs }) => clockMs));
  if (!(longest >= SLOW_MS))
    throw new Error(`Expected a task of ${String(SLOW_MS)} ms to be seen but received ${longest.toFixed(0)} ms at most.`);
}

const SLOW_MS = 120;

function threadOf({ pid, tid }: TraceEvent): string {
  return `${String(pid)}/${String(tid)}`;
}

function ended(session: CDPSession): Promise<unknown> {
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  return Promise.all([complete, session.send('Tracing.end')]);
}
