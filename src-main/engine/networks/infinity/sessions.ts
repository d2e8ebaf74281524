import type { GraphModel, GraphSession, Runner } from '#engine/tensor/runner.js';
import type { Architecture } from './architecture.js';
import { conditionGraph } from './condition-graph.js';
import { controlEncoderGraph, controlFuseGraph } from './control-graph.js';
import { embedGraph } from './embed-graph.js';
import { prefixGraph } from './prefix-graph.js';
import { stepGraph } from './step-graph.js';

/** The opened graphs of one transformer; each is built and opened when it is first needed. */
export class InfinitySessions {
  readonly architecture: Architecture;
  readonly #runner: Runner;
  readonly #open = new Map<string, Promise<GraphSession>>();

  constructor(runner: Runner, architecture: Architecture) {
    this.#runner = runner;
    this.architecture = architecture;
  }

  /** Opens what every request needs, one after the other: each holds its weights while it is built. */
  async openAlways(): Promise<void> {
    await this.condition();
    await this.embed(true);
    await this.embed(false);
    await this.prefix();
    await this.step([...this.architecture.blocks.keys()], false);
  }

  condition(): Promise<GraphSession> {
    return this.#once('condition', () => conditionGraph(this.architecture));
  }

  prefix(): Promise<GraphSession> {
    return this.#once('prefix', () => prefixGraph(this.architecture));
  }

  embed(start: boolean): Promise<GraphSession> {
    return this.#once(`embed ${start}`, () => embedGraph(this.architecture, start));
  }

  step(layers: readonly number[], controlled: boolean): Promise<GraphSession> {
    return this.#once(`step ${layers.join(' ')} ${controlled}`, () => stepGraph(this.architecture, { layers, controlled }));
  }

  controlEncoder(channels: number): Promise<GraphSession> {
    return this.#once(`control ${channels}`, () => controlEncoderGraph(this.architecture, channels));
  }

  controlFuse(): Promise<GraphSession> {
    return this.#once('control fuse', () => controlFuseGraph(this.architecture));
  }

  async release(): Promise<void> {
    const sessions = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    for (const session of sessions) if (session.status === 'fulfilled') await session.value.release();
  }

  #once(key: string, build: () => GraphModel): Promise<GraphSession> {
    const known = this.#open.get(key);
    if (known) return known;
    const opened = Promise.resolve().then(() => this.#runner.open(build()));
    this.#open.set(key, opened);
    // A session that failed to open may be tried again.
    opened.catch(() => this.#open.delete(key));
    return opened;
  }
}
