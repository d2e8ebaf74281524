const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]; // "\x93NUMPY", version 1.0
const PREFIX_BYTES = MAGIC.length + 2;
const ALIGNMENT = 64;

/** A float32 array as a NumPy file (format 1.0, little-endian, row-major). */
export function npyOf(dims: readonly number[], data: Float32Array): Uint8Array {
  const header = headerOf(dims);
  const bytes = new Uint8Array(PREFIX_BYTES + header.length + data.length * Float32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(MAGIC.length, header.length, true);
  bytes.set(new TextEncoder().encode(header), PREFIX_BYTES);
  const start = PREFIX_BYTES + header.length;
  for (const [index, value] of data.entries()) view.setFloat32(start + index * Float32Array.BYTES_PER_ELEMENT, value, true);
  return bytes;
}

function headerOf(dims: readonly number[]): string {
  const shape = dims.length === 1 ? `(${String(dims[0])},)` : `(${dims.join(', ')})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`;
  const unpadded = PREFIX_BYTES + text.length + 1;
  return `${text}${' '.repeat((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)}\n`;
}
