import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ProtoMessage } from '#engine/graph/protobuf.js';

const schema = protobuf
  .parse(
    `syntax = "proto2"; message Inner { optional string text = 1; }
  message Outer { repeated int64 whole = 1; optional float real = 2; optional bytes raw = 3; repeated Inner inner = 18; }`,
  )
  .root.lookupType('Outer');

function decode(message: ProtoMessage): Record<string, unknown> {
  return schema.toObject(schema.decode(message.finish()), { longs: String });
}

describe('the protocol-buffer writer', () => {
  it.each([0, 1, 127, 128, 300, 2 ** 31, Number.MAX_SAFE_INTEGER, -1, -(2 ** 40), 2n ** 63n - 1n])('writes the integer %s', (value) => {
    expect(decode(new ProtoMessage().integer(1, value))).toEqual({ whole: [String(value)] });
  });

  it('writes floats, bytes and text of any script', () => {
    const message = new ProtoMessage().float(2, 0.1).bytes(3, Uint8Array.of(0, 255)).message(18, new ProtoMessage().text(1, 'Größe · 尺'));
    const decoded = decode(message);
    expect(decoded['real']).toBe(Math.fround(0.1));
    expect([...(decoded['raw'] as Uint8Array)]).toEqual([0, 255]);
    expect(decoded['inner']).toEqual([{ text: 'Größe · 尺' }]);
  });

  it('keeps the order of nested messages and knows their length beforehand', () => {
    const message = new ProtoMessage();
    for (const text of ['a', 'b'.repeat(200), '']) message.message(18, new ProtoMessage().text(1, text));
    expect(message.finish()).toHaveLength(message.lengthBytes);
    expect(decode(message)['inner']).toEqual([{ text: 'a' }, { text: 'b'.repeat(200) }, { text: '' }]);
  });
});
