/** A safetensors file: header text as given, then `dataBytes` bytes counting 0, 1, 2 … 255, 0 … */
export function safetensors(header: string, dataBytes = 0): Buffer {
  const text = Buffer.from(header, 'utf8');
  return Buffer.concat([headerLength(BigInt(text.length)), text, counting(dataBytes)]);
}

export function headerLength(length: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(length);
  return bytes;
}

/** The header of one tensor named `w`. */
export function oneTensor(dtype: string, shape: string, offsets: string): string {
  return `{"w":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
}

export function counting(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => i % 256));
}
