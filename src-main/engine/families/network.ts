import type { Weights } from '#engine/weights/handle.js';

/** A recognised network; the sizes that its tensors give away are its family's to read. */
export interface NetworkShape {
  readonly family: string;
  readonly depth: number;
  readonly width: number;
}

/** A network that is told from names and shapes alone, with the sizes that its tensors give away. */
export interface Network<S extends NetworkShape = NetworkShape> {
  readonly name: S['family'];
  /** Of all networks of all families, exactly one says yes to a checkpoint: the order of asking must not matter. */
  fits(weights: Weights): boolean;
  /** Throws what is missing or misshapen. */
  read(weights: Weights): S;
}

/** Files that people will try and no network fits, by a tensor that tells them. */
export interface Stranger {
  readonly has: string;
  readonly reason: string;
}
