import { describe, expect, it } from 'vitest';
import { npyOf } from '#cli/npy.js';

describe('a NumPy file', () => {
  it('has an aligned header and little-endian float32 data', () => {
    const bytes = npyOf([1, 2, 2], new Float32Array([1.5, -2, 0, 3]));
    const view = new DataView(bytes.buffer);
    expect(Buffer.from(bytes.subarray(0, 8)).toString('latin1')).toBe('\u0093NUMPY\u0001\u0000');
    const start = 10 + view.getUint16(8, true);
    expect(start % 64).toBe(0);
    expect(Buffer.from(bytes.subarray(10, start)).toString()).toMatch(
      /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(1, 2, 2\), \} +\n$/u,
    );
    expect([0, 1, 2, 3].map((index) => view.getFloat32(start + 4 * index, true))).toEqual([1.5, -2, 0, 3]);
    expect(bytes.length).toBe(start + 16);
  });

  it('writes a list as a tuple of one', () => {
    expect(Buffer.from(npyOf([3], new Float32Array(3))).toString('latin1')).toContain("'shape': (3,)");
  });
});
