import type { Grid } from '#base/geometry.js';
import type { PackCard } from '#contract/pack-card.js';
import type { EditingModel, Fit } from '#engine/pipelines/model.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import type { Network, Stranger } from './network.js';
import type { CheckpointPack, PublishedFiles } from './published-files.js';

export interface PackWeights {
  readonly transformer: Weights;
  /** Of packs that have one. */
  readonly adapter?: Weights | undefined;
}

export type EncodeText = EditingModel['encodeText'];

/** What a pack reads words with. */
export interface TextParts {
  /** The encoder that lies in one file or several: the tensors of all. */
  readonly weights: Weights;
  /** Each file by itself, in the order of the card: encoders of more than one kind may have the same names. */
  readonly files: readonly Weights[];
  /** `tokenizer.json`. Throws `pack.damaged`. */
  readonly readTokenizer: () => Promise<unknown>;
}

/** The half of a pack that turns pictures into tokens and back. On other grids, what is released is still the first one. */
export interface PictureTokenizer extends Pick<EditingModel, 'coder' | 'quantiser'> {
  readonly fitted?: (fit: Fit) => PictureTokenizer;
}

/** The half that foretells tokens. */
export interface TokenPredictor extends Pick<EditingModel, 'predictor'> {
  readonly fitted?: (fit: Fit) => TokenPredictor;
}

/** What the forecast knows of a family besides the sizes in the card. */
export interface FamilyCost {
  /** Decoding and encoding at the model's size: tensors of a hundred channels and more, and the runtime's room for them. Measured. */
  readonly tokenizerBytesPerPixel: number;
  /** As much of it is decoding alone; absent = all. */
  readonly decoderBytesPerPixel?: number;
  /** Up to so many tokens of a source both rows of guidance go through the transformer at once; absent = always. */
  readonly rowsTogetherUpTo?: number;
  /** Whether packs of integers keep keys and values as halves. */
  readonly halvesCache: boolean;
  /** Whose keys and values are kept: where a scale sees only itself, none are; mostly nobody reads what the last would leave behind. */
  readonly keeps: 'every scale' | 'all but the last' | 'none';
  /** How many times more each scale of the card is run, without guidance; absent = never. */
  readonly passes?: readonly number[];
}

/** All that the studio knows of one published family. A folder beside this file holds it; list.ts names it. */
export interface Family<C extends PackCard = PackCard> {
  /** As sentences call it. */
  readonly title: string;
  /** The networks of its packs; the first is its transformer, by which a pack of published files is known. */
  readonly networks: readonly [Network, ...Network[]];
  readonly strangers?: readonly Stranger[];
  /** The transformer that its own network is laid over: one of an installed pack will do. */
  readonly standsOn?: string;
  /** A pack of the files that its authors published. Throws `weights.refused` where they are not the parts of one model. */
  pack(files: PublishedFiles): CheckpointPack;
  /** A hundredth of a pack: what asks for the tokenizer alone opens no transformer. */
  openTokenizer(card: C, weights: Weights, runner: Runner): Promise<PictureTokenizer>;
  openPredictor(card: C, weights: PackWeights, runner: Runner): Promise<TokenPredictor>;
  /** How it reads sentences, where that is not by T5 alone. */
  openText?(card: C, parts: TextParts, runner: Runner): Promise<EncodeText>;
  /** The prompt that stands for an instruction; absent = its own words. */
  prompt?(instruction: string, card: C): string;
  cost(card: C): FamilyCost;
  /** The token grids that a run would draw, where the request has a say in them; absent = the card's. */
  schedule?(card: C, fit: Fit): readonly Grid[];
}
