import { remember } from '#base/remember.js';
import type { GraphModel, GraphSession, Runner } from '#engine/tensor/runner.js';

/** The opened graphs of one network; each is built and opened when it is first needed. */
export class SessionCache {
  readonly #runner: Runner;
  readonly #open = new Map<string, Promise<GraphSession>>();

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  once(key: string, build: () => GraphModel): Promise<GraphSession> {
    return remember(this.#open, key, async () => this.#runner.open(build()));
  }

  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release();
  }
}

/** What is opened whole or not at all: a failure releases what was open by then. */
export async function openedWhole<T extends { openAlways(): Promise<void>; release(): Promise<void> }>(network: T): Promise<T> {
  try {
    await network.openAlways();
  } catch (error) {
    await network.release();
    throw error;
  }
  return network;
}
