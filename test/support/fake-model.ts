import type { EditingModel } from '#engine/pipelines/model.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { fakePredictor, type FakePredictor } from './fake-predictor.js';
import { tinyCard } from './tiny-card.js';

/** Pixels per tokenizer cell of the fake coder. */
const CELL = 4;

/** Mean colour per cell in the first channels; decoding paints flat cells. Rough, but a true picture coder. */
function flatCoder(codeBits: number): EditingModel['coder'] {
  return {
    encode: (picture) => Promise.resolve(overCells(picture, codeBits)),
    decode: (codes) => Promise.resolve(paintCells(codes)),
    release: () => Promise.resolve(),
  };
}

function overCells(picture: FloatTensor, codeBits: number): FloatTensor {
  const [, , height = 0, width = 0] = picture.dims;
  const [rows, columns] = [height / CELL, width / CELL];
  const codes = floats([1, codeBits, rows, columns]);
  for (let channel = 0; channel < codeBits; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const cell = (channel * rows + Math.floor(y / CELL)) * columns + Math.floor(x / CELL);
        codes.data[cell]! += ((picture.data[(channel * height + y) * width + x] ?? 0) * 2 - 1) / CELL ** 2;
      }
    }
  }
  return codes;
}

function paintCells(codes: FloatTensor): FloatTensor {
  const [, codeBits = 0, rows = 0, columns = 0] = codes.dims;
  const [height, width] = [rows * CELL, columns * CELL];
  const picture = floats([1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) {
    const source = Math.min(channel, codeBits - 1);
    for (let i = 0; i < height * width; i++) {
      const cell = (source * rows + Math.floor(i / width / CELL)) * columns + Math.floor((i % width) / CELL);
      picture.data[channel * height * width + i] = Math.min(1, Math.max(0, (codes.data[cell]! + 1) / 2));
    }
  }
  return picture;
}

export interface FakeModel extends EditingModel {
  readonly predictor: FakePredictor;
}

/** A model of 32×32 pixels whose transformer answers with `logit` (noise when absent). */
export function fakeModel(
  logit: (place: { scale: number; index: number; row: number }) => number = ({ scale, index }) => Math.sin(index * 9.7 + scale * 3.1),
): FakeModel {
  const { scales, tokenBits, depth } = tinyCard.config.transformer;
  return {
    card: tinyCard,
    predictor: fakePredictor({ schedule: scales, tokenBits, depth, logit }),
    coder: flatCoder(tinyCard.config.tokenizer.codeBits),
    quantiser: new BitwiseQuantiser({ codeBits: tinyCard.config.tokenizer.codeBits, schedule: scales, patchify: 2 }),
    encodeText: () => Promise.resolve({ text: { kind: 'words', ids: [2] }, notices: [] }),
  };
}
