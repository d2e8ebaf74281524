import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

// d channels per cell · p cells per token and axis · h, w token grid · l = h·w tokens · D = d·p² values per token

/** Pixel-unshuffle: `[d, h·p, w·p]` → tokens `[l, D]`, a token's values ordered channel, row in patch, column in patch. */
export function patchify(map: FloatTensor, p: number): FloatTensor {
  const [channels = 0, height = 0, width = 0] = map.dims;
  const columns = width / p;
  const perToken = channels * p * p;
  const tokens = floats([(height / p) * columns, perToken]);
  forEachCell({ channels, height, width, p }, (cell, token, value) => {
    tokens.data[token * perToken + value] = map.data[cell]!;
  });
  return tokens;
}

/** Pixel-shuffle, the inverse: values `[l, D]` of an h×w token grid → `[d, h·p, w·p]`. */
export function unpatchify(values: ArrayLike<number>, grid: readonly [number, number], p: number): FloatTensor {
  const height = grid[0] * p;
  const width = grid[1] * p;
  const perToken = values.length / (grid[0] * grid[1]);
  const channels = perToken / (p * p);
  const map = floats([channels, height, width]);
  forEachCell({ channels, height, width, p }, (cell, token, value) => {
    map.data[cell] = values[token * perToken + value]!;
  });
  return map;
}

interface Layout {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly p: number;
}

function forEachCell({ channels, height, width, p }: Layout, visit: (cell: number, token: number, value: number) => void): void {
  const columns = width / p;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const token = Math.floor(y / p) * columns + Math.floor(x / p);
        const value = channel * p * p + (y % p) * p + (x % p);
        visit((channel * height + y) * width + x, token, value);
      }
    }
  }
}
