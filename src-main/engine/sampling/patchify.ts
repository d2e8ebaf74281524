import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

// d channels per cell · p cells per token and axis · h, w token grid · l = h·w tokens · D = d·p² values per token

/** Pixel-unshuffle: `[d, h·p, w·p]` → tokens `[l, D]`, a token's values ordered channel, row in patch, column in patch. */
export function patchify(map: FloatTensor, p: number): FloatTensor {
  const [channels = 0, height = 0, width = 0] = map.dims;
  const perToken = channels * p * p;
  const tokens = floats([(height * width) / (p * p), perToken]);
  forEachRow({ channels, height, width, p }, (cell, value) => {
    for (let x = 0; x < width; x++) tokens.data[value + Math.trunc(x / p) * perToken + (x % p)] = map.data[cell + x]!;
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
  forEachRow({ channels, height, width, p }, (cell, value) => {
    for (let x = 0; x < width; x++) map.data[cell + x] = values[value + Math.trunc(x / p) * perToken + (x % p)]!;
  });
  return map;
}

interface Layout {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly p: number;
}

/** Where every row of the map begins, and its first value among the tokens'. Row by row, as a call for every cell is most of the time. */
function forEachRow({ channels, height, width, p }: Layout, visit: (cell: number, value: number) => void): void {
  const rowOfTokens = width * channels * p;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      visit((channel * height + y) * width, Math.trunc(y / p) * rowOfTokens + channel * p * p + (y % p) * p);
    }
  }
}
