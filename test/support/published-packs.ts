import type { FAMILIES } from '#engine/families/list.js';

const T5 = ['test/golden/t5-mini/t5.pth', 'test/golden/t5-mini/tokenizer.json'];
const VAR_TOKENIZER = 'test/golden/var-mini/vae_ch32v64z8.pth';
const LLAMA_TOKENIZER = 'test/golden/controlar-mini/vq_mini.pt';
const CLIPS = ['clip-l.bin', 'clip-g.bin', 'tokenizer.json'].map((name) => `test/golden/switti-mini/${name}`);

/** Small files of each family's published layout, its transformer first; of Infinity no tokenizer is committed, see `bitwiseTokenizer`. */
export const PACKS = {
  infinity: ['test/golden/infinity-mini-2b/transformer.pth', ...T5],
  var: ['test/golden/var-mini/var_d3.pth', VAR_TOKENIZER],
  controlar: ['test/golden/controlar-mini/canny_mini.pth', LLAMA_TOKENIZER, ...T5],
  nar: ['test/golden/nar-mini/t2i_tiny.pt', LLAMA_TOKENIZER, ...T5],
  flexvar: ['test/golden/flexvar-mini/FlexVARd2-epo1.pth', 'test/golden/flexvar-mini/FlexVAE.pth'],
  car: ['test/golden/car-mini/car_canny_d2.pth', 'test/golden/car-mini/var_d2.pth', VAR_TOKENIZER],
  hmar: ['test/golden/hmar-mini/hmar-d3.pth', VAR_TOKENIZER],
  switti: ['test/golden/switti-mini/model.safetensors', VAR_TOKENIZER, ...CLIPS],
} satisfies Readonly<Record<keyof typeof FAMILIES, readonly [string, ...string[]]>>;

/** VAR's tokenizer without what lies around its codebook is built as Infinity's: the tensors to take of it. */
export const BITWISE_TOKENIZER = { file: VAR_TOKENIZER, only: ['encoder', 'decoder'] };
