export type StoredType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** Bytes of one element, per stored type. */
export const STORED_BYTES: Readonly<Record<StoredType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Where a tensor lies: dense, little endian. Nothing is read until someone asks. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly file: string; // real path
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Elements between neighbours along every axis, where they lie in another order than row by row: such a tensor cannot be mapped. */
  readonly strides?: readonly number[];
}

/** Tells a file that was replaced or cut while we held its map. */
export interface FileIdentity {
  readonly path: string; // real path
  readonly device: number;
  readonly inode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The table of contents of a weights file, whatever its format. */
export interface Checkpoint {
  readonly format: 'safetensors' | 'torch';
  readonly identity: FileIdentity;
  /** Where the tensors lie, if not all of them in that one file. */
  readonly shards?: readonly FileIdentity[];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Every file that the tensors lie in. */
export function filesOf({ identity, shards }: Checkpoint): readonly FileIdentity[] {
  return shards ?? [identity];
}
