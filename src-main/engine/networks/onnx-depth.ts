import type { Extent } from '#base/geometry.js';
import type { ExpectedError } from '#contract/errors.js';
import type { DepthConfig } from '#contract/pack-card.js';
import type { OnnxModel, OnnxPort } from '#engine/graph/onnx-reader.js';
import type { DepthEstimator } from '#engine/tensor/predictor.js';
import { output, type GraphModel, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { elementCount, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { refused, shown } from '#engine/weights/refusal.js';

// H, W sides of the picture

/** What a foreign depth model takes and gives. */
export interface DepthShape {
  readonly family: 'depth';
  readonly input: string;
  readonly output: string;
  /** Where it takes one size only. */
  readonly fixed?: Extent;
}

/** ONNX's number of float32. */
const FLOAT = 1;
const COLOURS = 3;
/** Smaller pictures have no depth to see, larger ones no memory to be seen in. */
const SIDES = { least: 14, most: 4096 };
/** Attention grows with the fourth power of a side: a strip is squeezed rather than seen at any length. */
const LONGEST_STRETCH = 4;

/**
 * The ports of a model from one picture to one map.
 *
 * @throws ExpectedError `weights.refused` where it is another kind of model.
 */
export function depthShapeOf({ inputs, outputs }: OnnxModel): DepthShape {
  const [picture, map] = [only(inputs, 'one picture as input'), only(outputs, 'one map as output')];
  const [batch, colours, height, width] = picture.dims ?? [];
  const isPicture = picture.dims?.length === 4;
  if (!isPicture || !fits(batch, 1) || !fits(colours, COLOURS)) throw portRefused('a picture [N, 3, H, W] as input', picture);
  if (!isMap(map)) throw portRefused('a map [N, H, W] or [N, 1, H, W] as output', map);
  const names = { family: 'depth' as const, input: picture.name, output: map.name };
  if (height === undefined || width === undefined) return names;
  if (Math.min(height, width) < SIDES.least || Math.max(height, width) > SIDES.most) {
    throw refused(`Expected sides of ${SIDES.least} to ${SIDES.most} pixels for the model but received ${width}×${height}.`);
  }
  return { ...names, fixed: { width, height } };
}

function only(ports: readonly OnnxPort[], wanted: string): OnnxPort {
  const [port, ...more] = ports;
  if (!port || more.length > 0) {
    throw refused(`Expected a depth model with ${wanted} but received ${shown(ports.map(({ name }) => name).join(', ') || 'none')}.`);
  }
  if (port.type !== FLOAT) throw portRefused(`${wanted} in float32`, port);
  return port;
}

function fits(length: number | undefined, wanted: number): boolean {
  return length === undefined || length === wanted;
}

/** Exporters may leave out what the map's shape is. */
function isMap({ dims }: OnnxPort): boolean {
  if (dims === undefined) return true;
  const channels = dims.length === 4 ? dims[1] : 1;
  return (dims.length === 3 || dims.length === 4) && fits(dims[0], 1) && fits(channels, 1);
}

function portRefused(wanted: string, { name, type, dims }: OnnxPort): ExpectedError {
  const received = `"${shown(name)}" of type ${type ?? 'unknown'} [${dims?.map((dim) => dim ?? '?').join(', ') ?? '?'}]`;
  return refused(`Expected a depth model with ${wanted} but received ${received}.`);
}

/** What a card says of how a model sees. */
export interface DepthModel {
  readonly graph: GraphModel;
  readonly shape: DepthShape;
  readonly config: DepthConfig;
}

/**
 * Opens a foreign depth model (Depth Anything V2, Yang et al. 2024, as published in ONNX, or one like it). Its map is as
 * the model gives it, of any range.
 *
 * @throws ExpectedError `weights.refused` where ONNX Runtime cannot open it.
 */
export async function openOnnxDepth(runner: Runner, model: DepthModel): Promise<DepthEstimator> {
  const session = await runner.open(model.graph).catch((cause: unknown) => {
    throw refused(`Expected a model that can be opened in ${shown(model.graph.name)} but ${reasonOf(cause)}`, cause);
  });
  return new OnnxDepth(session, model);
}

class OnnxDepth implements DepthEstimator {
  readonly #session: GraphSession;
  readonly #model: DepthModel;

  constructor(session: GraphSession, model: DepthModel) {
    this.#session = session;
    this.#model = model;
  }

  sizeFor(picture: Extent): Extent {
    return this.#model.shape.fixed ?? fittedSize(picture, this.#model.config);
  }

  async estimate(picture: FloatTensor): Promise<FloatTensor> {
    const { shape, graph, config } = this.#model;
    const outputs = await this.#session.run({ [shape.input]: normalised(picture, config) }).catch((cause: unknown) => {
      throw refused(`Expected a map of ${picture.dims.slice(2).join('×')} pixels from ${shown(graph.name)} but ${reasonOf(cause)}`, cause);
    });
    const { dims, data } = output(outputs, shape.output) as FloatTensor;
    const sides = dims.slice(-2);
    if (data.length === 0 || data.length !== elementCount(sides)) {
      throw refused(`Expected one map from ${shown(graph.name)} but received [${dims.join(', ')}].`);
    }
    return floats([1, 1, ...sides], data);
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** As published: both sides at least `side`, the ratio kept, each rounded to whole patches. */
export function fittedSize({ width, height }: Extent, { side, patch }: DepthConfig): Extent {
  const scale = side / Math.min(width, height);
  const whole = (length: number) => {
    const scaled = Math.min(length * scale, side * LONGEST_STRETCH);
    const nearest = Math.round(scaled / patch) * patch;
    return nearest < side ? Math.ceil(side / patch) * patch : nearest;
  };
  return { width: whole(width), height: whole(height) };
}

function normalised({ dims, data }: FloatTensor, { mean, std }: DepthConfig): FloatTensor {
  const pixels = data.length / COLOURS;
  return floats(
    dims,
    data.map((value, i) => (value - mean[Math.trunc(i / pixels)]!) / std[Math.trunc(i / pixels)]!),
  );
}

/** The runtime's own words, on one line. */
export function reasonOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return `the runtime refuses: ${shown(line)}`;
}
