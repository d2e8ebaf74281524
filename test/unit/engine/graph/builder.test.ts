import { readFileSync } from 'node:fs';
import path from 'node:path';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '#engine/graph/builder.js';

const schema = readFileSync(path.resolve(import.meta.dirname, '../../../support/onnx.proto'), 'utf8');
const ModelProto = protobuf.parse(schema).root.lookupType('onnx.ModelProto');

interface DecodedTensor {
  name: string;
  dims?: string[];
  dataType: number;
  rawData?: Uint8Array;
  externalData?: { key: string; value: string }[];
  dataLocation?: string;
}

interface DecodedModel {
  irVersion: string;
  opsetImport: { domain: string; version: string }[];
  graph: {
    name: string;
    node: { input: string[]; output: string[]; opType: string; domain: string; attribute?: Record<string, unknown>[] }[];
    initializer: DecodedTensor[];
    input: unknown[];
    output: { name: string }[];
  };
}

function decode(bytes: Uint8Array): DecodedModel {
  return ModelProto.toObject(ModelProto.decode(bytes), { longs: String, enums: String }) as DecodedModel;
}

describe('GraphBuilder', () => {
  it('writes a model that an ONNX parser reads back', () => {
    const graph = new GraphBuilder('double');
    const x = graph.input('x', ['B', 3]);
    graph.output('y', graph.op('Mul', [x, graph.scalar(2)]), ['B', 3]);
    const model = decode(graph.finish().bytes);
    expect(model.irVersion).toBe('10');
    expect(model.opsetImport).toEqual([
      { domain: '', version: '21' },
      { domain: 'com.microsoft', version: '1' },
    ]);
    expect(model.graph.name).toBe('double');
    expect(model.graph.node.map(({ opType, input, output }) => ({ opType, input, output }))).toEqual([
      { opType: 'Mul', input: ['x', 'scalar 2'], output: ['y'] },
    ]);
    expect(model.graph.input).toEqual([
      { name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'B' }, { dimValue: '3' }] } } } },
    ]);
  });

  it('tells integers, floats, texts and lists apart among attributes', () => {
    const graph = new GraphBuilder('attributes');
    const x = graph.input('x', [1]);
    graph.output('y', graph.op('Odd', [x], { axis: -1, epsilon: { float: 0.5 }, mode: 'nearest', pads: [0, 1] }), [1]);
    expect(decode(graph.finish().bytes).graph.node[0]!.attribute).toEqual([
      { name: 'axis', i: '-1', type: 'INT' },
      { name: 'epsilon', f: 0.5, type: 'FLOAT' },
      { name: 'mode', s: new TextEncoder().encode('nearest'), type: 'STRING' },
      { name: 'pads', ints: ['0', '1'], type: 'INTS' },
    ]);
  });

  it('takes the domain from the operator’s name', () => {
    const graph = new GraphBuilder('domains');
    const x = graph.input('x', [1]);
    graph.output('y', graph.op('com.microsoft.FastGelu', [graph.op('Relu', [x])]), [1]);
    const nodes = decode(graph.finish().bytes).graph.node.map(({ opType, domain }) => [opType, domain]);
    expect(nodes).toEqual([
      ['Relu', ''],
      ['FastGelu', 'com.microsoft'],
    ]);
  });

  it('writes a constant once however often it is used', () => {
    const graph = new GraphBuilder('constants');
    let x = graph.input('x', [1]);
    for (let i = 0; i < 3; i++) x = graph.op('Add', [graph.op('Reshape', [x, graph.integers([-1, 1])]), graph.scalar(1)]);
    graph.output('y', x, [1]);
    const { initializer } = decode(graph.finish().bytes).graph;
    expect(initializer.map(({ name, dataType, dims }) => [name, dataType, dims])).toEqual([
      ['integers -1 1', 7, ['2']],
      ['scalar 1', 1, undefined],
    ]);
    expect(new BigInt64Array(Uint8Array.from(initializer[0]!.rawData!).buffer)).toEqual(BigInt64Array.of(-1n, 1n));
  });

  it('points at mapped tensors by base name, offset and length', () => {
    const graph = new GraphBuilder('mapped');
    const x = graph.input('x', ['R', 4]);
    const weight = graph.mapped({ name: 'w', dims: [2, 4], file: '/models/a/net.pth', offsetBytes: 640, lengthBytes: 32 });
    graph.mapped({ name: 'v', dims: [1], file: '/models/a/more.pth', offsetBytes: 2 ** 33, lengthBytes: 4 });
    graph.output('y', graph.op('Gemm', [x, weight], { transB: 1 }), ['R', 2]);
    const model = graph.finish();
    expect(model.externalFolder).toBe('/models/a');
    const [first, second] = decode(model.bytes).graph.initializer;
    expect(first).toMatchObject({ name: 'w', dims: ['2', '4'], dataType: 1, dataLocation: 'EXTERNAL' });
    expect(first!.externalData).toEqual([
      { key: 'location', value: 'net.pth' },
      { key: 'offset', value: '640' },
      { key: 'length', value: '32' },
    ]);
    expect(second!.externalData![1]).toEqual({ key: 'offset', value: '8589934592' });
  });

  it('names no folder where all weights are inside', () => {
    const graph = new GraphBuilder('inside');
    graph.output('y', graph.op('Identity', [graph.filled(0.5, 3)]), [3]);
    expect(graph.finish()).not.toHaveProperty('externalFolder');
  });

  it('refuses weights from two folders, a wrong count, and a value given out twice or not computed', () => {
    const graph = new GraphBuilder('refusals');
    const x = graph.input('x', [1]);
    const y = graph.op('Relu', [x]);
    graph.mapped({ name: 'a', dims: [1], file: '/one/f', offsetBytes: 0, lengthBytes: 4 });
    expect(() => graph.mapped({ name: 'b', dims: [1], file: '/two/f', offsetBytes: 0, lengthBytes: 4 })).toThrow('in /one');
    expect(() => graph.inline('c', [2, 2], new Float32Array(3))).toThrow('Expected 4 values');
    graph.output('y', y, [1]);
    expect(() => {
      graph.output('z', y, [1]);
    }).toThrow('given out once');
    expect(() => {
      graph.output('z', x, [1]);
    }).toThrow('Expected a computed value');
  });

  it('gives out a value that later operators still use', () => {
    const graph = new GraphBuilder('through');
    const middle = graph.op('Relu', [graph.input('x', [1])]);
    graph.output('middle', middle, [1]);
    graph.output('end', graph.op('Neg', [middle]), [1]);
    expect(decode(graph.finish().bytes).graph.node.map(({ input, output }) => [input, output])).toEqual([
      [['x'], ['middle']],
      [['middle'], ['end']],
    ]);
  });
});
