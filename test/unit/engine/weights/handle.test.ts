import { beforeAll, describe, expect, it } from 'vitest';

import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';

import { headerLength } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';

const files = new TemporaryFiles();

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

let weights: Weights;
beforeAll(async () => {
  weights = Weights.of(
    await openCheckpoint(
      write({
        'blocks.10.attn.weight': { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1.5, -2) },
        'blocks.9.attn.weight': { dtype: 'F16', shape: [4], data: Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff) },
        'blocks.9.attn.bias': { dtype: 'BF16', shape: [2], data: Uint16Array.of(0x3f80, 0xc049) },
        'blocks.9.mlp': { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
        'head.steps': { dtype: 'I64', shape: [1], data: BigInt64Array.of(7n) },
        'head.broken': { dtype: 'F32', shape: [2], data: Float32Array.of(1, NaN) },
        'head.endless': { dtype: 'F16', shape: [1], data: Uint16Array.of(0x7c00) },
        block: { dtype: 'F32', shape: [], data: Float32Array.of(3) },
      }),
    ),
  );
});

describe('Weights', () => {
  it('goes one module deeper with every name or number', () => {
    const attention = weights.at('blocks').at(9).at('attn');
    expect(attention.path).toBe('blocks.9.attn');
    expect(attention.fullName('weight')).toBe('blocks.9.attn.weight');
    expect(weights.at('blocks', 9, 'attn').shape('weight')).toEqual([4]);
    expect(weights.at('blocks.9').stored('attn.weight').dtype).toBe('float16');
  });

  it('knows tensors and modules, and nothing that merely begins alike', () => {
    expect(weights.has('blocks')).toBe(true);
    expect(weights.has('block')).toBe(true);
    expect(weights.has('bloc')).toBe(false);
    expect(weights.at('blocks').has(1)).toBe(false);
    expect(weights.at('blocks').has(10)).toBe(true);
    expect(weights.at('blocks', 9).has('mlp')).toBe(true);
    expect(weights.at('blocks', 9, 'mlp').has('weight')).toBe(false);
  });

  it('lists children: numbers counted, names in file order', () => {
    expect(weights.at('blocks').children()).toEqual(['9', '10']);
    expect(weights.at('blocks', 9).children()).toEqual(['attn', 'mlp']);
    expect(weights.children()).toEqual(['blocks', 'head', 'block']);
    expect(weights.at('nowhere').children()).toEqual([]);
  });

  it('names a missing tensor in full', () => {
    expect(() => weights.at('blocks', 10, 'attn').stored('bias')).toThrow(
      /^Expected tensor blocks\.10\.attn\.bias in handle\.weights but it is missing\.$/,
    );
  });

  it('names a misshapen tensor in full', () => {
    const attention = weights.at('blocks', 10, 'attn');
    expect(() => {
      attention.expectShape('weight', [1, 2]);
    }).not.toThrow();
    expect(() => {
      attention.expectShape('weight', [2, 1]);
    }).toThrow(/^Expected \[2, 1\] for blocks\.10\.attn\.weight in handle\.weights but received \[1, 2\]\.$/);
    expect(() => {
      attention.expectShape('weight', [1, 2, 1]);
    }).toThrow(/received \[1, 2\]/);
  });

  it('widens every float type exactly, float64 to the nearest', () => {
    expect([...weights.at('blocks', 10, 'attn').readFloats('weight')]).toEqual([1.5, -2]);
    expect([...weights.at('blocks', 9, 'attn').readFloats('weight')]).toEqual([1, -2, 2 ** -24, 65504]);
    expect([...weights.at('blocks', 9, 'attn').readFloats('bias')]).toEqual([1, -3.140625]);
    expect([...weights.at('blocks', 9).readFloats('mlp')]).toEqual([Math.fround(Math.PI)]);
    expect([...weights.readFloats('block')]).toEqual([3]);
  });

  it('refuses integers as floats, and weights that are not finite', () => {
    expect(() => weights.readFloats('head.steps')).toThrow(/Expected floats for head\.steps .* int64/);
    expect(() => weights.readFloats('head.broken')).toThrow(expect.objectContaining({ code: 'weights.damaged' }) as Error);
    expect(() => weights.readFloats('head.endless')).toThrow(expect.objectContaining({ code: 'weights.damaged' }) as Error);
  });
});

function write(tensors: Readonly<Record<string, Stored>>): string {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    parts.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  return files.write(Buffer.concat([headerLength(BigInt(json.length)), json, ...parts]), 'handle.weights');
}
