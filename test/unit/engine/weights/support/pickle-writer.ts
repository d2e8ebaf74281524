/** Pickle opcodes as bytes, to write right and wrong pickles by hand. */
export const PROTO = Buffer.from([0x80, 2]);
export const MARK = Buffer.from('(');
export const STOP = Buffer.from('.');
export const EMPTY_DICT = Buffer.from('}');
export const EMPTY_LIST = Buffer.from(']');
export const EMPTY_TUPLE = Buffer.from(')');
export const EMPTY_SET = Buffer.from([0x8f]);
export const NONE = Buffer.from('N');
export const NEWTRUE = Buffer.from([0x88]);
export const NEWFALSE = Buffer.from([0x89]);
export const TUPLE = Buffer.from('t');
export const TUPLE1 = Buffer.from([0x85]);
export const REDUCE = Buffer.from('R');
export const NEWOBJ = Buffer.from([0x81]);
export const BUILD = Buffer.from('b');
export const APPEND = Buffer.from('a');
export const SETITEM = Buffer.from('s');
export const SETITEMS = Buffer.from('u');
export const BINPERSID = Buffer.from('Q');

export interface TensorSpec {
  readonly key?: string;
  readonly storage?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
  /** Marks that PyTorch keeps beside a tensor. */
  readonly metadata?: Buffer;
}

export function pickle(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([PROTO, ...parts, STOP]);
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from('X'), uint32(bytes.length), bytes]);
}

/** BININT where it fits, else LONG1. */
export function int(value: number): Buffer {
  if (Math.abs(value) < 2 ** 31) {
    const bytes = Buffer.from('J\0\0\0\0');
    bytes.writeInt32LE(value, 1);
    return bytes;
  }
  const bytes = Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function put(index: number): Buffer {
  return Buffer.concat([Buffer.from('r'), uint32(index)]);
}

export function get(index: number): Buffer {
  return Buffer.concat([Buffer.from('j'), uint32(index)]);
}

export function tuple(...items: readonly Buffer[]): Buffer {
  return Buffer.concat([MARK, ...items, TUPLE]);
}

export function dict(members: Readonly<Record<string, Buffer>>): Buffer {
  return Buffer.concat([EMPTY_DICT, MARK, ...Object.entries(members).flatMap(([key, value]) => [text(key), value]), SETITEMS]);
}

/** A one-dimensional float tensor of 4 elements over `data/0`, where nothing else is said. */
export function tensor(spec: TensorSpec = {}): Buffer {
  const { key = '0', storage = 'FloatStorage', elements = 4, offset = 0, shape = [4], strides = [1], metadata } = spec;
  const id = tuple(text('storage'), global('torch', storage), text(key), text('cpu'), int(elements));
  const hooks = Buffer.concat([global('collections', 'OrderedDict'), EMPTY_TUPLE, REDUCE]);
  const args = tuple(
    id,
    BINPERSID,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    NEWFALSE,
    hooks,
    ...(metadata ? [metadata] : []),
  );
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, REDUCE]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
