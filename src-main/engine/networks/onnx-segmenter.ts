import type { Extent, Rect } from '#base/geometry.js';
import type { SegmenterConfig } from '#contract/pack-card.js';
import type { Pointing } from '#contract/selection.js';
import type { OnnxModel, OnnxPort } from '#engine/graph/onnx-reader.js';
import type { Segmenter } from '#engine/tensor/predictor.js';
import { output, type Feeds, type GraphModel, type GraphSession, type Runner } from '#engine/tensor/runner.js';
import { elementCount, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { refused, shown } from '#engine/weights/refusal.js';
import { reasonOf } from './onnx-depth.js';

// S side of the encoder's square · C, h, w its features · N points · M masks

/** What an encoder of pictures takes and gives. */
export interface EncoderShape {
  readonly family: 'segment-encoder';
  readonly input: string;
  readonly output: string;
  /** `planes`: `[1, 3, S, S]`, normalised and padded beforehand; `pixels`: `[H, W, 3]` in 0..255, as exporters with preprocessing want it. */
  readonly layout: 'planes' | 'pixels';
  /** Longer side of what it sees. */
  readonly side: number;
}

/** What a decoder of masks takes and gives, by the names of the published export. */
export interface DecoderShape {
  readonly family: 'segment-decoder';
  readonly masks: string;
  readonly scores: string;
  /** Of an earlier mask, which it can start from: rows and columns. */
  readonly maskInput?: readonly [number, number];
}

const FLOAT = 1;
const COLOURS = 3;
/** Segment Anything's own; exports that normalise by themselves do not say theirs. */
const PUBLISHED_SIDE = 1024;
const SIDES = { least: 64, most: 2048 };
const MASK_SIDES: readonly [number, number] = [256, 256];
/** Every input that the published decoder has. */
const POINTS = ['image_embeddings', 'point_coords', 'point_labels'];
const OPTIONAL = ['mask_input', 'has_mask_input', 'orig_im_size'];

/** Labels of points, as Segment Anything numbers them. */
const LABEL = { none: -1, inside: 1, corner: 2, oppositeCorner: 3 };

export function isDecoder({ inputs }: OnnxModel): boolean {
  return inputs.some(({ name }) => name === 'point_coords');
}

/** One picture to features of many channels; a depth model gives one. */
export function isEncoder({ inputs, outputs }: OnnxModel): boolean {
  const [features, ...more] = outputs;
  return inputs.length === 1 && more.length === 0 && features?.dims?.length === 4 && (features.dims[1] ?? 1) > COLOURS;
}

/**
 * The ports of a picture encoder (Segment Anything, Kirillov et al. 2023, MobileSAM, Zhang et al. 2023, or one like them).
 *
 * @throws ExpectedError `weights.refused`
 */
export function encoderShapeOf({ inputs, outputs }: OnnxModel): EncoderShape {
  const [picture, features] = [inputs[0]!, outputs[0]!];
  expectFloat(picture);
  expectFloat(features);
  const [, , height] = picture.dims ?? [];
  const names = { family: 'segment-encoder' as const, input: picture.name, output: features.name };
  if (picture.dims?.length === 3 && fits(height, COLOURS)) return { ...names, layout: 'pixels', side: PUBLISHED_SIDE };
  if (!isSquare(picture)) throw portRefused('a picture [1, 3, S, S] or [H, W, 3] as input', picture);
  const side = height ?? PUBLISHED_SIDE;
  if (side < SIDES.least || side > SIDES.most)
    throw refused(`Expected a side of ${SIDES.least} to ${SIDES.most} pixels for the encoder but received ${side}.`);
  return { ...names, layout: 'planes', side };
}

/**
 * The ports of a mask decoder, as Segment Anything's own export names them.
 *
 * @throws ExpectedError `weights.refused`
 */
export function decoderShapeOf({ inputs, outputs }: OnnxModel): DecoderShape {
  const known = [...POINTS, ...OPTIONAL];
  const missing = [...POINTS, 'orig_im_size'].find((name) => !inputs.some((port) => port.name === name));
  if (missing !== undefined) throw refused(`Expected a mask decoder with the input ${missing} but it has none.`);
  const strange = inputs.find(({ name }) => !known.includes(name));
  if (strange) throw refused(`Expected a mask decoder with the inputs ${known.join(', ')} but received "${shown(strange.name)}".`);
  inputs.forEach(expectFloat);
  const names = outputs.map(({ name }) => name);
  if (!names.includes('masks') || !names.includes('iou_predictions'))
    throw refused(`Expected a mask decoder with the outputs masks and iou_predictions but received ${shown(names.join(', '))}.`);
  const earlier = inputs.find(({ name }) => name === 'mask_input')?.dims;
  const maskInput = [earlier?.[2] ?? MASK_SIDES[0], earlier?.[3] ?? MASK_SIDES[1]] as const;
  if (Math.max(...maskInput) > SIDES.most)
    throw refused(`Expected a mask input of at most ${SIDES.most} pixels but received ${maskInput.join('×')}.`);
  return { family: 'segment-decoder', masks: 'masks', scores: 'iou_predictions', ...(earlier && { maskInput }) };
}

/** `[1, 3, S, S]` */
function isSquare({ dims = [] }: OnnxPort): boolean {
  const [batch, colours, height, width] = dims;
  return dims.length === 4 && fits(batch, 1) && fits(colours, COLOURS) && height === width;
}

function fits(length: number | undefined, wanted: number): boolean {
  return length === undefined || length === wanted;
}

function expectFloat(port: OnnxPort): void {
  if (port.type !== FLOAT) throw portRefused('every port in float32', port);
}

function portRefused(wanted: string, { name, type, dims }: OnnxPort) {
  const received = `"${shown(name)}" of type ${type ?? 'unknown'} [${dims?.map((dim) => dim ?? '?').join(', ') ?? '?'}]`;
  return refused(`Expected a segmentation model with ${wanted} but received ${received}.`);
}

export interface SegmenterModel {
  readonly encoder: { readonly graph: GraphModel; readonly shape: EncoderShape };
  readonly decoder: { readonly graph: GraphModel; readonly shape: DecoderShape };
  readonly config: SegmenterConfig;
}

/**
 * Opens both halves of a promptable segmentation model.
 *
 * @throws ExpectedError `weights.refused` where ONNX Runtime cannot open one.
 */
export async function openOnnxSegmenter(runner: Runner, model: SegmenterModel): Promise<Segmenter> {
  const encoder = await opened(runner, model.encoder.graph);
  const decoder = await opened(runner, model.decoder.graph).catch(async (error: unknown) => {
    await encoder.release();
    throw error;
  });
  return new OnnxSegmenter(model, encoder, decoder);
}

function opened(runner: Runner, graph: GraphModel): Promise<GraphSession> {
  return runner.open(graph).catch((cause: unknown) => {
    throw refused(`Expected a model that can be opened in ${shown(graph.name)} but ${reasonOf(cause)}`, cause);
  });
}

class OnnxSegmenter implements Segmenter {
  readonly #model: SegmenterModel;
  readonly #encoder: GraphSession;
  readonly #decoder: GraphSession;

  constructor(model: SegmenterModel, encoder: GraphSession, decoder: GraphSession) {
    [this.#model, this.#encoder, this.#decoder] = [model, encoder, decoder];
  }

  sizeFor({ width, height }: Extent): Extent {
    const scale = this.#model.encoder.shape.side / Math.max(width, height);
    return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
  }

  async look(picture: FloatTensor): Promise<FloatTensor> {
    const { shape, graph } = this.#model.encoder;
    const seen = shape.layout === 'pixels' ? pixelsOf(picture) : padded(picture, shape.side, this.#model.config);
    return output(await asked(this.#encoder, { [shape.input]: seen }, graph), shape.output) as FloatTensor;
  }

  async segment(features: FloatTensor, pointing: Pointing, { width, height }: Extent): Promise<FloatTensor> {
    const { shape, graph } = this.#model.decoder;
    const feeds = {
      image_embeddings: features,
      ...pointsOf(pointing),
      ...nothingBefore(shape),
      orig_im_size: floats([2], Float32Array.of(height, width)),
    };
    const outputs = await asked(this.#decoder, feeds, graph);
    const [masks, scores] = [output(outputs, shape.masks) as FloatTensor, output(outputs, shape.scores) as FloatTensor];
    const [pixels, count] = [width * height, scores.data.length];
    const isWhole = count > 0 && masks.data.length === count * pixels && elementCount(masks.dims.slice(-2)) === pixels;
    if (!isWhole) throw refused(`Expected masks of ${width}×${height} from ${shown(graph.name)} but received [${masks.dims.join(', ')}].`);
    const best = scores.data.reduce((most, score, i) => (score > scores.data[most]! ? i : most), 0);
    return floats([height, width], masks.data.slice(best * pixels, (best + 1) * pixels));
  }

  async release(): Promise<void> {
    await Promise.all([this.#encoder.release(), this.#decoder.release()]);
  }
}

function asked(session: GraphSession, feeds: Feeds, graph: GraphModel) {
  return session.run(feeds).catch((cause: unknown) => {
    throw refused(`Expected an answer from ${shown(graph.name)} but ${reasonOf(cause)}`, cause);
  });
}

/** A click counts as a point inside, and a point that is none; a box as its corners. */
function pointsOf(pointing: Pointing): Feeds {
  const [places, labels] =
    'at' in pointing
      ? [
          [pointing.at.x, pointing.at.y, 0, 0],
          [LABEL.inside, LABEL.none],
        ]
      : [cornersOf(pointing.box), [LABEL.corner, LABEL.oppositeCorner]];
  return { point_coords: floats([1, 2, 2], Float32Array.from(places)), point_labels: floats([1, 2], Float32Array.from(labels)) };
}

function cornersOf({ x, y, width, height }: Rect): readonly number[] {
  return [x, y, x + width, y + height];
}

function nothingBefore({ maskInput }: DecoderShape): Feeds {
  if (!maskInput) return {};
  return { mask_input: floats([1, 1, ...maskInput]), has_mask_input: floats([1]) };
}

/** `[1, 3, H, W]` in 0..1 → `[H, W, 3]` in 0..255. */
function pixelsOf({ dims, data }: FloatTensor): FloatTensor {
  const [, , height = 0, width = 0] = dims;
  const count = height * width;
  const result = floats([height, width, COLOURS]);
  for (let c = 0; c < COLOURS; c++) for (let i = 0; i < count; i++) result.data[i * COLOURS + c] = 255 * data[c * count + i]!;
  return result;
}

/** Normalised, in the upper left corner of a square of zeros. */
function padded({ dims, data }: FloatTensor, side: number, { mean, std }: SegmenterConfig): FloatTensor {
  const [, , height = 0, width = 0] = dims;
  const result = floats([1, COLOURS, side, side]);
  for (let c = 0; c < COLOURS; c++) {
    for (let y = 0; y < height; y++) {
      const [from, to] = [(c * height + y) * width, (c * side + y) * side];
      for (let x = 0; x < width; x++) result.data[to + x] = (data[from + x]! - mean[c]!) / std[c]!;
    }
  }
  return result;
}
