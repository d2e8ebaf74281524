import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Codebook } from './codebook.js';
import { cellsOf, diagonalsOf } from '#engine/tensor/diagonals.js';
import { certaintyOfIndices, drawIndices } from './indices.js';
import { KEPT_BELOW } from './keep-mask.js';
import type { DrawOptions, Quantiser } from './quantiser.js';

// d channels of a code · V codebook entries · G the whole grid · l cells of a diagonal

/** Which way diagonals run across the picture: from its top left corner, or mirrored. */
export interface Corner {
  readonly right: boolean;
  readonly bottom: boolean;
}

export const TOP_LEFT: Corner = { right: false, bottom: false };

/**
 * The grids of a picture's diagonals. Each is a line of cells; whether it lies or stands tells the corner that tokens begin
 * in: in the first half the side, in the second half the end.
 */
export function diagonalSchedule(grid: Grid, { right, bottom }: Corner = TOP_LEFT): readonly Grid[] {
  return diagonalsOf(grid).map(({ index, first, last }): Grid => {
    const [length, stands] = [last - first + 1, index < grid[0] ? right : bottom];
    return stands ? [length, 1] : [1, length];
  });
}

/** The corner of a schedule's diagonals; of grids that are no diagonals, the first. */
export function cornerOf(schedule: readonly Grid[]): Corner {
  const rows = (schedule.length + 1) / 2;
  const stands = (from: number, to: number) => schedule.slice(from, to).some(([tall]) => tall > 1);
  return { right: stands(0, rows), bottom: stands(rows, schedule.length) };
}

/**
 * One token per cell, one anti-diagonal after the other (NAR, He et al. 2025). A diagonal takes the place that a scale has
 * in residual quantisers: diagonals add up to the picture as scales do.
 */
export class DiagonalQuantiser implements Quantiser {
  readonly schedule: readonly Grid[];
  readonly patch = 1;
  readonly valuesPerToken = 1;
  readonly finest: Grid;
  readonly #codebook: Codebook;
  /** Per diagonal its cells in raster order of the picture. */
  readonly #cells: readonly (readonly number[])[];

  constructor({ grid, codebook, corner = TOP_LEFT }: { readonly grid: Grid; readonly codebook: Codebook; readonly corner?: Corner }) {
    this.finest = grid;
    this.schedule = diagonalSchedule(grid, corner);
    this.#codebook = codebook;
    this.#cells = diagonalsOf(grid).map((diagonal) => cellsOf(diagonal, grid).map((cell) => mirrored(cell, grid, corner)));
  }

  get scales(): number {
    return this.schedule.length;
  }

  /** V */
  get entries(): number {
    return this.#codebook.entries;
  }

  tokens(k: number): number {
    return at(this.#cells, k).length;
  }

  emptySum(): FloatTensor {
    return floats([this.#codebook.width, ...this.finest]);
  }

  /** There is no coarser picture: the same map, whatever the diagonal. */
  down(map: FloatTensor): FloatTensor {
    return map;
  }

  add(sum: FloatTensor, tokens: ArrayLike<number>, k: number): FloatTensor {
    const codes = this.#codebook.codesOf(tokens, [1, tokens.length]); // (d, 1, l)
    const data = sum.data.slice();
    const size = cellCount(this.finest);
    at(this.#cells, k).forEach((cell, i) => {
      for (let channel = 0; channel < this.#codebook.width; channel++) {
        data[channel * size + cell] = codes.data[channel * tokens.length + i]!;
      }
    });
    return { ...sum, data };
  }

  /** Diagonal k − 1 as codes, `[l, d]`. */
  nextInput(sum: FloatTensor, k: number): FloatTensor {
    const rows = this.#rowsOf(sum, k - 1);
    return floats([this.tokens(k - 1), this.#codebook.width], rows);
  }

  quantise(features: FloatTensor, _sum: FloatTensor, k: number): Uint16Array {
    return this.#codebook.nearest(this.#rowsOf(features, k));
  }

  draw(guided: Float32Array, options: DrawOptions, scale: number): Uint16Array {
    return drawIndices(guided, this.entries, { options, scale });
  }

  certainty(guided: Float32Array, tokens: ArrayLike<number>, options: DrawOptions): Float32Array {
    return certaintyOfIndices(guided, tokens, { ...options, entries: this.entries });
  }

  kept(mask: FloatTensor, k: number): Uint8Array {
    return Uint8Array.from(this.#rowsOf(mask, k), (share) => (share < KEPT_BELOW ? 1 : 0));
  }

  /** `[c, G]` → a diagonal's cells one after the other, `l · c`. */
  #rowsOf({ dims: [channels = 0], data }: FloatTensor, k: number): Float32Array {
    const cells = at(this.#cells, k);
    const size = cellCount(this.finest);
    const rows = new Float32Array(cells.length * channels);
    cells.forEach((cell, i) => {
      for (let channel = 0; channel < channels; channel++) rows[i * channels + channel] = data[channel * size + cell]!;
    });
    return rows;
  }
}

function mirrored(cell: number, [rows, columns]: Grid, { right, bottom }: Corner): number {
  const [row, column] = [Math.floor(cell / columns), cell % columns];
  return (bottom ? rows - 1 - row : row) * columns + (right ? columns - 1 - column : column);
}
