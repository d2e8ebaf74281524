/** How close a picture is to another of its size. */
export interface Closeness {
  /** In dB. */
  readonly psnr: number;
  /** 1 = the same (Wang et al. 2004). */
  readonly ssim: number;
  /** 0 = the same (Xue et al. 2014). */
  readonly gmsd: number;
  /** Gradients that are left, as a share of those that were there. */
  readonly sharpness: number;
}

/** The share of capital letters that are still told apart, by their height in pixels of the model's picture. */
export type LettersTold = readonly { readonly px: number; readonly told: number }[];

/** What the card of a pack says of its tokenizer. */
export interface TokenizerFacts {
  /** Model pixels across the finest detail that is kept: half of its contrast is left. 1 = all. */
  readonly resolves: number;
  /** From this height on nine of ten letters are told apart; null = at no height that was looked at. */
  readonly lettersFromPx: number | null;
}

/** What a scale adds to those before it. */
export interface ScaleKept extends Closeness, Pick<TokenizerFacts, 'lettersFromPx'> {
  readonly scale: number;
  readonly letters: LettersTold;
}

/** What a pack's tokenizer keeps of pictures, whatever its transformer draws (after VTBench, Lin et al. 2025). */
export interface TokenizerReport extends TokenizerFacts {
  readonly pack: string;
  /** The model's picture, in pixels. */
  readonly size: { readonly width: number; readonly height: number };
  /** Means over the photos: of the tokens up to each scale; of a raster and of diagonals, of all alone. */
  readonly scales: readonly ScaleKept[];
  /** Of all scales together. */
  readonly letters: LettersTold;
  /** A PNG: the first photo and a page of letters on the left, what is kept of them on the right. */
  readonly picture: Uint8Array;
}
