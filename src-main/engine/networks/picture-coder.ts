import type { PictureCoder } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { expectFinite, type FloatTensor } from '#engine/tensor/tensor.js';

interface CoderGraphs {
  /** `picture` → `features` */
  readonly encoder: GraphModel;
  /** `codes` → `picture` */
  readonly decoder: GraphModel;
}

/** A tokenizer's two halves, opened. */
export async function openPictureCoder(runner: Runner, graphs: CoderGraphs): Promise<PictureCoder> {
  const encoder = await runner.open(graphs.encoder);
  const decoder = await runner.open(graphs.decoder);
  return new OpenCoder(encoder, decoder);
}

class OpenCoder implements PictureCoder {
  readonly #encoder: GraphSession;
  readonly #decoder: GraphSession;

  constructor(encoder: GraphSession, decoder: GraphSession) {
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  async encode(picture: FloatTensor): Promise<FloatTensor> {
    return expectFinite(output(await this.#encoder.run({ picture }), 'features') as FloatTensor, 'features');
  }

  async decode(codes: FloatTensor): Promise<FloatTensor> {
    return expectFinite(output(await this.#decoder.run({ codes }), 'picture') as FloatTensor, 'pixels');
  }

  async release(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#decoder.release()]);
  }
}
