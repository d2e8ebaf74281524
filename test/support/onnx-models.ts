import protobuf from 'protobufjs';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const schema = readFileSync(path.resolve(import.meta.dirname, 'onnx.proto'), 'utf8');

/** Foreign models are written by another library from the public format, not by our own writer. */
export const ModelProto = protobuf.parse(schema).root.lookupType('onnx.ModelProto');

const FLOAT = 1;

export type Axis = number | string;

interface Port {
  readonly name: string;
  readonly dims?: readonly Axis[];
  readonly elemType?: number;
}

export type Message = Record<string, unknown>;

export function port({ name, dims, elemType = FLOAT }: Port): Message {
  const dim = dims?.map((axis) => (typeof axis === 'number' ? { dimValue: axis } : { dimParam: axis }));
  return { name, type: { tensorType: { elemType, ...(dim && { shape: { dim } }) } } };
}

export function floatsOf(name: string, dims: readonly number[], values: readonly number[]): Message {
  return { name, dims, dataType: FLOAT, rawData: new Uint8Array(Float32Array.from(values).buffer) };
}

export interface GraphParts {
  readonly node?: readonly Message[];
  readonly initializer?: readonly Message[];
  readonly input?: readonly Message[];
  readonly output?: readonly Message[];
  readonly sparseInitializer?: readonly Message[];
}

export function modelOf(graph: GraphParts, more: Message = {}): Uint8Array {
  const opsetImport = [
    { domain: '', version: 17 },
    { domain: 'com.microsoft', version: 1 },
  ];
  const model = { irVersion: 8, producerName: 'test', opsetImport, graph: { name: 'g', ...graph }, ...more };
  return Uint8Array.from(ModelProto.encode(ModelProto.fromObject(model)).finish());
}

/** 1×1 weights of red, green and blue, and what is added: a depth model of one convolution. */
export const WEIGHTS = [0.5, -0.25, 2];
export const BIAS = 3;

/** `pixel_values` `[N, 3, H, W]` → `predicted_depth` `[N, H, W]`, as the published export of Depth Anything V2 names them. */
export function dynamicDepth(): GraphParts {
  return {
    input: [port({ name: 'pixel_values', dims: ['batch_size', 3, 'height', 'width'] })],
    output: [port({ name: 'predicted_depth', dims: ['batch_size', 'floor(height/14)*14', 'floor(width/14)*14'] })],
    initializer: [
      floatsOf('w', [1, 3, 1, 1], WEIGHTS),
      floatsOf('b', [1], [BIAS]),
      { name: 'axes', dims: [1], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(1n).buffer) },
    ],
    node: [
      { opType: 'Conv', input: ['pixel_values', 'w', 'b'], output: ['map'] },
      { opType: 'Squeeze', input: ['map', 'axes'], output: ['predicted_depth'] },
    ],
  };
}
