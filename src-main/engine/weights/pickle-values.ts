import type { StoredType } from './checkpoint.js';

/** What a pickle may hold here: plain data, and three inert records in place of PyTorch's objects. */
export type PickleValue = PickleScalar | PickleTuple | PickleList | PickleDict | PickleSet | PickleGlobal | StorageRef | TensorRef;
export type PickleScalar = null | boolean | number | bigint | string;

/** `depth` counts the containers inside one another, this one included. */
export class PickleTuple {
  readonly items: readonly PickleValue[];
  readonly depth: number;

  constructor(items: readonly PickleValue[]) {
    this.items = items;
    this.depth = 1 + deepest(items);
  }
}

export class PickleList {
  readonly items: PickleValue[] = [];
  depth = 1;

  append(value: PickleValue): void {
    this.items.push(value);
    this.depth = Math.max(this.depth, 1 + depthOf(value));
  }
}

/** A dict or, if `ordered`, an OrderedDict. */
export class PickleDict {
  readonly entries = new Map<PickleScalar, PickleValue>();
  readonly ordered: boolean;
  depth = 1;

  constructor(ordered: boolean) {
    this.ordered = ordered;
  }

  set(key: PickleScalar, value: PickleValue): void {
    this.entries.set(key, value);
    this.depth = Math.max(this.depth, 1 + depthOf(value));
  }
}

/** Always empty: the opcode that would fill it is not on the list. */
export class PickleSet {
  readonly depth = 1;
}

/** A name that the file asked for; nothing stands behind it. */
export type PickleGlobal =
  { readonly type: 'rebuild'; readonly version: 1 | 2 } | { readonly type: 'parameter' | 'ordered-dict' | 'size' | 'dtype' } | StorageClass;

export interface StorageClass {
  readonly type: 'storage-class';
  readonly dtype: StoredType;
}

/** One `data/KEY` entry of the archive. */
export interface StorageRef {
  readonly type: 'storage';
  readonly key: string;
  readonly dtype: StoredType;
  readonly elements: number;
}

/** A view of a storage; offset and strides count elements. */
export interface TensorRef {
  readonly type: 'tensor';
  readonly storage: StorageRef;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export function isScalar(value: PickleValue): value is PickleScalar {
  return value === null || typeof value !== 'object';
}

export function isTensor(value: PickleValue): value is TensorRef {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'tensor';
}

export function isStorage(value: PickleValue): value is StorageRef {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'storage';
}

export function depthOf(value: PickleValue): number {
  return typeof value === 'object' && value !== null && 'depth' in value ? value.depth : 0;
}

function deepest(items: readonly PickleValue[]): number {
  return items.reduce<number>((depth, item) => Math.max(depth, depthOf(item)), 0);
}
