import { at } from '#base/assert.js';
import type { Closeness, LettersTold, ScaleKept, TokenizerFacts, TokenizerReport } from '#contract/tokenizer-report.js';
import { traitsOf } from '#contract/traits.js';
import { encodePng } from '#engine/image/files/encode.js';
import { viewWhole } from '#engine/image/working/whole-view.js';
import { closenessOf, lumaOf, type Plane } from '#engine/tensor/closeness.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { letterPages, lettersFromPx, lettersTold, type LetterPage } from './letters.js';
import { modelExtent, type TokenizerModel } from './model.js';
import { resolutionOf } from './resolution.js';
import { tokenise } from './tokenise.js';

/** What the tokenizer of a model keeps of encoded photos, at least one, and of letters. */
export async function reportTokenizer(model: TokenizerModel, photos: readonly Uint8Array[]): Promise<TokenizerReport> {
  const pictures: FloatTensor[] = [];
  for (const photo of photos) pictures.push((await viewWhole(photo, { size: modelExtent(model) })).picture);
  const perPicture: (readonly Closeness[])[] = [];
  for (const picture of pictures) {
    const before = lumaOf(picture);
    perPicture.push(await perScale(model, picture, (after) => closenessOf(before, after)));
  }
  const pages = letterPages(modelExtent(model));
  const perPage: (readonly LettersTold[])[] = [];
  for (const page of pages) perPage.push(await perScale(model, gray(page.page), (seen) => lettersTold(page, seen)));
  const first = stepsShown(model)[0] ?? 1;
  const scales = at(perPicture, 0).map((_, k): ScaleKept => {
    const letters = perPage.flatMap((told) => at(told, k));
    return { scale: first + k, ...meanOf(perPicture.map((kept) => at(kept, k))), letters, lettersFromPx: lettersFromPx(letters) };
  });
  const { letters, lettersFromPx: fromPx } = at(scales, scales.length - 1);
  return {
    pack: model.card.name,
    size: modelExtent(model),
    scales,
    letters,
    lettersFromPx: fromPx,
    resolves: await resolutionOf(model),
    picture: await encodePng(await shown(model, at(pictures, 0), pages)),
  };
}

/** What a card says of a tokenizer: as `reportTokenizer` has it, without photographs. */
export async function tokenizerFacts(model: TokenizerModel): Promise<TokenizerFacts> {
  const letters: LettersTold[] = [];
  for (const page of letterPages(modelExtent(model))) letters.push(lettersTold(page, lumaOf(await kept(model, gray(page.page)))));
  return { resolves: await resolutionOf(model), lettersFromPx: lettersFromPx(letters.flat()) };
}

/** Rows and diagonals are parts of a picture: only all of them together are one. */
function stepsShown({ card, quantiser: { scales } }: TokenizerModel): readonly number[] {
  return traitsOf(card).steps ? [scales] : Array.from({ length: scales }, (_, k) => k + 1);
}

/** What is kept of a picture by the tokens up to each scale, looked at one after the other. */
async function perScale<T>(model: TokenizerModel, picture: FloatTensor, look: (kept: Plane) => T): Promise<readonly T[]> {
  const { tokens } = await tokenise(model, picture);
  const shownSteps = stepsShown(model);
  const found: T[] = [];
  let sum = model.quantiser.emptySum();
  for (const [k, scale] of tokens.entries()) {
    sum = model.quantiser.add(sum, scale, k);
    if (shownSteps.includes(k + 1)) found.push(look(lumaOf(await model.coder.decode(floats([1, ...sum.dims], sum.data)))));
  }
  return found;
}

async function kept(model: TokenizerModel, picture: FloatTensor): Promise<FloatTensor> {
  const { sum } = await tokenise(model, picture);
  return model.coder.decode(floats([1, ...sum.dims], sum.data));
}

function meanOf(all: readonly Closeness[]): Closeness {
  const mean = (name: keyof Closeness) => all.reduce((sum, one) => sum + one[name], 0) / all.length;
  return { psnr: mean('psnr'), ssim: mean('ssim'), gmsd: mean('gmsd'), sharpness: mean('sharpness') };
}

function gray({ values, width, height }: Plane): FloatTensor {
  const picture = floats([1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) picture.data.set(values, channel * values.length);
  return picture;
}

/** The first photo, and a page of letters, each beside what is kept of it. */
async function shown(model: TokenizerModel, photo: FloatTensor, pages: readonly LetterPage[]): Promise<FloatTensor> {
  const page = pages[Math.floor(pages.length / 2)];
  const rows = [photo, ...(page ? [gray(page.page)] : [])];
  const { width, height } = modelExtent(model);
  const sheet = floats([1, 3, rows.length * height, 2 * width]);
  for (const [r, left] of rows.entries()) {
    for (const [side, picture] of [left, await kept(model, left)].entries()) {
      for (let line = 0; line < 3 * height; line++) {
        const [channel, row] = [Math.floor(line / height), line % height];
        const to = ((channel * rows.length + r) * height + row) * 2 * width + side * width;
        sheet.data.set(picture.data.subarray(line * width, (line + 1) * width), to);
      }
    }
  }
  return sheet;
}
