import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import { looksLikeOnnx, readOnnx, type OnnxModel } from '#engine/graph/onnx-reader.js';
import { FUZZ_FACTOR } from '../../../support/fuzz.js';
import { dynamicDepth, floatsOf, modelOf, port, type GraphParts, type Message } from '../../../support/onnx-models.js';

function read(bytes: Uint8Array): OnnxModel {
  return readOnnx({ label: 'm.onnx', sizeBytes: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) });
}

const tiny: GraphParts = dynamicDepth();

describe('an ONNX model', () => {
  it('is read: ports, weights, metadata', () => {
    expect(read(modelOf(tiny, { metadataProps: [{ key: 'license', value: 'Apache-2.0' }] }))).toEqual({
      inputs: [{ name: 'pixel_values', type: 1, dims: [undefined, 3, undefined, undefined] }],
      outputs: [{ name: 'predicted_depth', type: 1, dims: [undefined, undefined, undefined] }],
      parameters: 5,
      external: [],
      metadata: { license: 'Apache-2.0' },
    });
  });

  it('of our own writer is read too', () => {
    const graph = new GraphBuilder('own');
    const x = graph.input('x', [1, 3, 'H', 'W']);
    const weight = graph.mapped({ name: 'w', dims: [1, 3, 1, 1], file: '/models/net.bin', offsetBytes: 64, lengthBytes: 12 });
    graph.output('y', graph.op('Conv', [x, weight]), [1, 1, 'H', 'W']);
    const bytes = graph.finish().bytes;
    expect(looksLikeOnnx(bytes)).toBe(true);
    expect(read(bytes)).toMatchObject({
      external: [{ location: 'net.bin', endBytes: 76 }],
      outputs: [{ dims: [1, 1, undefined, undefined] }],
    });
  });

  it('may list its weights among its inputs, as old exporters do', () => {
    const input = [...tiny.input!, port({ name: 'w', dims: [1, 3, 1, 1] }), port({ name: 'b', dims: [1] })];
    expect(read(modelOf({ ...tiny, input })).inputs.map(({ name }) => name)).toEqual(['pixel_values']);
  });

  it.each<[string, boolean]>([
    ['\x08\x0a\x12\x0ascalebrush', true],
    ['\x08\x12\x12\0\0\0\0\0{"a":', false],
    ['PK\x03\x04', false],
    ['', false],
  ])('is told by its first bytes %j', (head, expected) => {
    expect(looksLikeOnnx(Buffer.from(head, 'latin1'))).toBe(expected);
  });
});

const external = (entries: Readonly<Record<string, string>>): GraphParts => ({
  ...tiny,
  initializer: [
    { name: 'w', dims: [2], dataType: 1, dataLocation: 1, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })) },
  ],
});
const withNode = (node: Message): GraphParts => ({ ...tiny, node: [...tiny.node!, node] });
const branch = (graph: GraphParts): Message => ({ opType: 'If', attribute: [{ name: 'then_branch', g: { name: 'b', ...graph } }] });

describe('a hostile ONNX model is refused in one line', () => {
  it.each<[string, Uint8Array, RegExp]>([
    ['operators of its own', modelOf(withNode({ opType: 'Evil', domain: 'ai.evil' })), /some of "ai\.evil"/],
    ['such operators inside a branch', modelOf(withNode(branch({ node: [{ opType: 'E', domain: 'evil' }] }))), /some of "evil"/],
    ['functions', modelOf(tiny, { functions: [{ name: 'f' }] }), /no functions/],
    ['an operator that opens compiled code', modelOf(withNode({ opType: 'EPContext', domain: 'com.microsoft' })), /EPContext/],
    ['an endless loop', modelOf(withNode({ opType: 'Loop' })), /that only compute, and end .* received Loop/],
    ['weights above its folder', modelOf(external({ location: '../etc/passwd' })), /plainly named files .* "\.\.\/etc\/passwd"/],
    ['weights at an absolute path', modelOf(external({ location: '/etc/passwd' })), /"\/etc\/passwd"/],
    ['weights behind a NUL', modelOf(external({ location: 'a\0b' })), /"a\\u\{0\}b"/],
    ['weights in the runtime’s own memory', modelOf(external({ location: '*/_ORT_MEM_ADDR_/*' })), /_ORT_MEM_ADDR_/],
    ['weights nowhere', modelOf(external({ offset: '0' })), /a location ""/],
    ['weights at a negative offset', modelOf(external({ location: 'w.bin', offset: '-8' })), /a whole number of bytes .* "-8"/],
    ['weights of another length', modelOf(external({ location: 'w.bin', length: '9' })), /Expected 8 bytes in w\.bin .* received 9/],
    [
      'hidden weights in a constant',
      modelOf(withNode({ opType: 'Constant', attribute: [{ name: 'value', t: external({ location: 'C:evil' }).initializer![0] }] })),
      /"C:evil"/,
    ],
    ['weights shorter than their shape', modelOf({ ...tiny, initializer: [{ ...floatsOf('w', [9], [1]) }] }), /Expected 36 bytes for w/],
    ['a shape of 2⁶⁰', modelOf({ ...tiny, initializer: [{ name: 'w', dims: [2 ** 30, 2 ** 30], dataType: 1 }] }), /fits in memory for w/],
    ['a negative length', modelOf({ ...tiny, initializer: [{ name: 'w', dims: [-1], dataType: 1 }] }), /lengths of axes .* -1/],
    ['texts as weights', modelOf({ ...tiny, initializer: [{ name: 'w', dims: [1], dataType: 8 }] }), /numbers for w .* type 8/],
    ['sparse weights', modelOf({ ...tiny, sparseInitializer: [{}] }), /sparse/],
    ['no graph', modelOf(tiny, { graph: undefined }), /an ONNX graph/],
    ['two graphs', Buffer.concat([modelOf(tiny), modelOf(tiny)]), /one graph/],
    ['a cut file', modelOf(tiny).subarray(0, 100), /cut download/],
    ['a name of 5000 letters', modelOf({ ...tiny, node: [{ opType: 'x'.repeat(5000) }] }), /at most 4096 bytes/],
    [
      'branches 20 deep',
      modelOf({ node: [Array.from({ length: 20 }).reduce<Message>((inner) => branch({ node: [inner] }), {})] }),
      /inside each other/,
    ],
  ])('for %s', (_, bytes, reason) => {
    expect(() => read(bytes)).toThrow(ExpectedError);
    expect(() => read(bytes)).toThrow(reason);
  });

  it('whatever its bytes are', { timeout: 30_000 * FUZZ_FACTOR }, () => {
    const whole = modelOf(withNode(branch(external({ location: 'w.bin', offset: '0', length: '8' }))));
    const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(whole.length), (changes, cut) => {
        const bytes = whole.slice(0, cut % 5 === 0 ? cut : whole.length);
        for (const [at, value] of changes) bytes[at % Math.max(1, bytes.length)] = value;
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ExpectedError);
        }
      }),
      { numRuns: 3000 * FUZZ_FACTOR },
    );
  });
});
