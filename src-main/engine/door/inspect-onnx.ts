import { ExpectedError } from '#contract/errors.js';
import { inspectOnnx } from '#engine/graph/onnx-file.js';
import type { OnnxModel } from '#engine/graph/onnx-reader.js';
import { depthShapeOf, type DepthShape } from '#engine/networks/onnx-depth.js';
import {
  decoderShapeOf,
  encoderShapeOf,
  isDecoder,
  isEncoder,
  type DecoderShape,
  type EncoderShape,
} from '#engine/networks/onnx-segmenter.js';
import type { InspectReport } from './engine.js';

/** What `inspect` says of an ONNX file: a depth model, or one half of a segmentation model. */
export async function inspectForeign(file: string): Promise<InspectReport> {
  const { model, identity, external } = await inspectOnnx(file);
  return {
    file: identity.path,
    files: [identity.path, ...external.map(({ path: part }) => part)],
    format: 'onnx',
    sizeBytes: identity.sizeBytes,
    parameters: model.parameters,
    ...recognised(() => ({
      ...shapeOf(model),
      external: external.map(({ path: part, sizeBytes }) => ({ file: part, bytes: sizeBytes })),
    })),
    licence: model.metadata['license'] ?? model.metadata['licence'] ?? null,
    metadata: model.metadata,
    tensors: [],
  };
}

function shapeOf(model: OnnxModel): DepthShape | EncoderShape | DecoderShape {
  if (isDecoder(model)) return decoderShapeOf(model);
  return isEncoder(model) ? encoderShapeOf(model) : depthShapeOf(model);
}

function recognised(read: () => NonNullable<InspectReport['model']>): Pick<InspectReport, 'model' | 'reason'> {
  try {
    return { model: read() };
  } catch (error) {
    if (error instanceof ExpectedError) return { model: null, reason: error.message };
    throw error;
  }
}
