import type { PictureCoder } from '#engine/tensor/predictor.js';
import { output, type Feeds, type GraphModel, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { elementCount, expectFinite, type FloatTensor } from '#engine/tensor/tensor.js';

interface CoderGraphs {
  /** `picture` → `features` */
  readonly encoder: GraphModel;
  /** `codes` → `picture` */
  readonly decoder: GraphModel;
}

/**
 * Pixels of a picture from which on a half is closed behind its run: the previews of a model of 512 pixels are such, too. The
 * runtime keeps the room that a run took as long as a session is open, gigabytes that keys and values need next; opening costs a
 * hundredth of such a run.
 */
export const LARGE_PIXELS = 320 ** 2;
const LARGE_VALUES = 3 * LARGE_PIXELS;

/** A tokenizer's two halves, opened. */
export async function openPictureCoder(runner: Runner, graphs: CoderGraphs): Promise<PictureCoder> {
  const [encoder, decoder] = [new CoderHalf(runner, graphs.encoder), new CoderHalf(runner, graphs.decoder)];
  const coder = new OpenCoder(encoder, decoder);
  try {
    // What cannot be opened is told now.
    await encoder.open();
    await decoder.open();
    return coder;
  } catch (error) {
    await coder.release();
    throw error;
  }
}

class OpenCoder implements PictureCoder {
  readonly #encoder: CoderHalf;
  readonly #decoder: CoderHalf;

  constructor(encoder: CoderHalf, decoder: CoderHalf) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  async encode(picture: FloatTensor): Promise<FloatTensor> {
    return expectFinite(await this.#encoder.run({ picture }, 'features'), 'features');
  }

  async decode(codes: FloatTensor): Promise<FloatTensor> {
    return expectFinite(await this.#decoder.run({ codes }, 'picture'), 'pixels');
  }

  async release(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#decoder.release()]);
  }
}

/** One graph, open between runs of small pictures and, on the CPU, closed behind those of large ones. */
class CoderHalf {
  readonly #runner: Runner;
  readonly #graph: GraphModel;
  #session: Promise<GraphSession> | undefined;
  #running = 0;

  constructor(runner: Runner, graph: GraphModel) {
    this.#runner = runner;
    this.#graph = graph;
  }

  open(): Promise<GraphSession> {
    if (!this.#session) {
      const session = this.#runner.open(this.#graph);
      // A failed one is forgotten, so that the next try starts anew.
      session.catch(() => (this.#session = undefined));
      this.#session = session;
    }
    return this.#session;
  }

  async run(feeds: Feeds, name: 'features' | 'picture'): Promise<FloatTensor> {
    let isLarge = false;
    this.#running += 1;
    try {
      const result = output(await (await this.open()).run(feeds), name) as FloatTensor;
      isLarge =
        this.#runner.provider === 'cpu' && [feeds['picture'], result].some((tensor) => tensor && elementCount(tensor.dims) >= LARGE_VALUES);
      return result;
    } finally {
      this.#running -= 1;
      if (isLarge && this.#running === 0) await this.release();
    }
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    const [opened] = await Promise.allSettled([session]);
    if (opened.status === 'fulfilled') await opened.value?.release();
  }
}
