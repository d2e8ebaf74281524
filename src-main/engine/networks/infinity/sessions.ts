import type { GraphSession } from '#engine/tensor/runner.js';
import { DeviceRows } from '../device-rows.js';
import { KvCache, type RowCache } from '../kv-cache.js';
import type { SessionCache } from '../session-cache.js';
import type { Architecture } from './architecture.js';
import { conditionGraph } from './condition-graph.js';
import { controlEncoderGraph, controlFuseGraph } from './control-graph.js';
import { embedGraph, sourceGraph } from './embed-graph.js';
import { stepGraph } from './step-graph.js';

/** The graphs of one transformer. */
export class InfinitySessions {
  readonly architecture: Architecture;
  readonly #sessions: SessionCache;

  constructor(sessions: SessionCache, architecture: Architecture) {
    this.#sessions = sessions;
    this.architecture = architecture;
  }

  /** The same opened graphs for other token grids: none of them knows the grids. */
  on(architecture: Architecture): InfinitySessions {
    return new InfinitySessions(this.#sessions, architecture);
  }

  /** Opens what every request needs, one after the other: each holds its weights while it is built. */
  async openAlways(): Promise<void> {
    await this.condition();
    await this.embed(true);
    await this.embed(false);
    if (this.architecture.config.source !== false) await this.source();
    await this.step([...this.architecture.blocks.keys()], false);
  }

  condition(): Promise<GraphSession> {
    return this.#sessions.once('condition', () => conditionGraph(this.architecture));
  }

  source(): Promise<GraphSession> {
    return this.#sessions.once('source', () => sourceGraph(this.architecture));
  }

  embed(start: boolean): Promise<GraphSession> {
    return this.#sessions.once(`embed ${start}`, () => embedGraph(this.architecture, start));
  }

  step(layers: readonly number[], controlled: boolean): Promise<GraphSession> {
    return this.#sessions.once(`step ${layers.join(' ')} ${controlled}`, () => stepGraph(this.architecture, { layers, controlled }));
  }

  controlEncoder(channels: number): Promise<GraphSession> {
    return this.#sessions.once(`control ${channels}`, () => controlEncoderGraph(this.architecture, channels));
  }

  controlFuse(): Promise<GraphSession> {
    return this.#sessions.once('control fuse', () => controlFuseGraph(this.architecture));
  }

  /** Where keys and values of one picture will lie: with the device, if it has a memory of its own. */
  newCache(batch: number, hasSource: boolean): RowCache {
    const { config, cacheTypes: types, pastParts: parts } = this.architecture;
    if (parts.length === 0) return new KvCache(config, { batch, hasSource, types, lastScale: 'left out' });
    return new DeviceRows(config, { batch, types, parts, sessions: this.#sessions });
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }
}
