import { at } from '#base/assert.js';
import type { Closeness, TokenizerReport } from '#contract/tokenizer-report.js';
import { traitsOf } from '#contract/traits.js';
import { encodePng } from '#engine/image/files/encode.js';
import { viewWhole } from '#engine/image/working/whole-view.js';
import { closenessOf, lumaOf, type Plane } from '#engine/tensor/closeness.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { letterPage, lettersTold, type LetterPage } from './letters.js';
import { modelExtent, type EditingModel } from './model.js';
import { resolutionOf } from './resolution.js';
import { tokenise } from './tokenise.js';

const HEIGHTS_PX = [6, 8, 10, 12, 14, 16, 20, 24, 32, 40];
const TOLD = 0.9;

/** What the tokenizer of a model keeps of encoded photos, at least one, and of letters. */
export async function reportTokenizer(model: EditingModel, photos: readonly Uint8Array[]): Promise<TokenizerReport> {
  const pictures: FloatTensor[] = [];
  for (const photo of photos) pictures.push((await viewWhole(photo, { size: modelExtent(model) })).picture);
  const perPicture: (readonly Closeness[])[] = [];
  for (const picture of pictures) perPicture.push(await scalesKept(model, picture));
  const pages = HEIGHTS_PX.flatMap((px) => letterPage(modelExtent(model), px) ?? []);
  const letters = [];
  for (const page of pages) letters.push({ px: page.px, told: lettersTold(page, lumaOf(await kept(model, gray(page.page)))) });
  const first = stepsShown(model)[0] ?? 1;
  return {
    pack: model.card.name,
    size: modelExtent(model),
    scales: at(perPicture, 0).map((_, k) => ({ scale: first + k, ...meanOf(perPicture.map((scales) => at(scales, k))) })),
    letters,
    lettersFromPx: fromPx(letters),
    resolves: await resolutionOf(model),
    picture: await encodePng(await shown(model, at(pictures, 0), pages)),
  };
}

/** Rows and diagonals are parts of a picture: only all of them together are one. */
function stepsShown({ card, quantiser: { scales } }: EditingModel): readonly number[] {
  return traitsOf(card).steps ? [scales] : Array.from({ length: scales }, (_, k) => k + 1);
}

async function scalesKept(model: EditingModel, picture: FloatTensor): Promise<readonly Closeness[]> {
  const { tokens } = await tokenise(model, picture);
  const before = lumaOf(picture);
  const shownSteps = stepsShown(model);
  const found: Closeness[] = [];
  let sum = model.quantiser.emptySum();
  for (const [k, scale] of tokens.entries()) {
    sum = model.quantiser.add(sum, scale, k);
    if (shownSteps.includes(k + 1)) found.push(closenessOf(before, lumaOf(await model.coder.decode(floats([1, ...sum.dims], sum.data)))));
  }
  return found;
}

async function kept(model: EditingModel, picture: FloatTensor): Promise<FloatTensor> {
  const { sum } = await tokenise(model, picture);
  return model.coder.decode(floats([1, ...sum.dims], sum.data));
}

function meanOf(all: readonly Closeness[]): Closeness {
  const mean = (name: keyof Closeness) => all.reduce((sum, one) => sum + one[name], 0) / all.length;
  return { psnr: mean('psnr'), ssim: mean('ssim'), gmsd: mean('gmsd'), sharpness: mean('sharpness') };
}

/** The least height from which on all that was looked at is told. */
function fromPx(letters: TokenizerReport['letters']): number | null {
  const failing = letters.findLastIndex(({ told }) => told < TOLD);
  return letters[failing + 1]?.px ?? null;
}

function gray({ values, width, height }: Plane): FloatTensor {
  const picture = floats([1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) picture.data.set(values, channel * values.length);
  return picture;
}

/** The first photo, and the page of middle height, each beside what is kept of it. */
async function shown(model: EditingModel, photo: FloatTensor, pages: readonly LetterPage[]): Promise<FloatTensor> {
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
