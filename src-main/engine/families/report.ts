import type { AnyCard, PackCard } from '#contract/pack-card.js';
import type { DepthShape } from '#engine/networks/onnx-depth.js';
import type { DecoderShape, EncoderShape } from '#engine/networks/onnx-segmenter.js';
import type { NetworkShape } from './network.js';

/** A pack as the engine needs it: what it says and where its files lie. Only packs that draw can run requests. */
export interface InstalledPack<C extends AnyCard = PackCard> {
  readonly card: C;
  readonly folder: string;
}

/** Weights that lie beside a foreign model, which names them. */
interface Foreign {
  readonly external: readonly { readonly file: string; readonly bytes: number }[];
}

export type ForeignDepth = DepthShape & Foreign;
export type ForeignEncoder = EncoderShape & Foreign;
export type ForeignDecoder = DecoderShape & Foreign;

export type ModelShape = NetworkShape | ForeignDepth | ForeignEncoder | ForeignDecoder;

export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What `inspect` says of a weights file without running anything in it. */
export interface InspectReport {
  readonly file: string;
  /** All files that its tensors lie in. */
  readonly files: readonly string[];
  readonly format: string;
  readonly sizeBytes: number;
  readonly parameters: number;
  /** The recognised network, or null with `reason`. */
  readonly model: ModelShape | null;
  readonly reason?: string;
  readonly licence: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the `config.json` beside it says. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorSummary[];
}
