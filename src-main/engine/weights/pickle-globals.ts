import type { ExpectedError } from '#contract/errors.js';

import type { StoredType } from './checkpoint.js';
import { MAX_RANK } from './limits.js';
import type { PickleGlobal, PickleValue, StorageRef, TensorRef } from './pickle-values.js';
import { isStorage, isTensor, PickleDict, PickleTuple } from './pickle-values.js';
import { refused, shown } from './refusal.js';

const STORAGES: readonly (readonly [string, StoredType])[] = [
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['DoubleStorage', 'float64'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
];
const DTYPE_NAMES = ['float32', 'float16', 'bfloat16', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];

/** The whole vocabulary. A name outside it refuses the file; a name inside it is a record, never a callable. */
const GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map<string, PickleGlobal>([
  ['torch._utils._rebuild_tensor', { type: 'rebuild', version: 1 }],
  ['torch._utils._rebuild_tensor_v2', { type: 'rebuild', version: 2 }],
  ['torch._utils._rebuild_parameter', { type: 'parameter' }],
  ['collections.OrderedDict', { type: 'ordered-dict' }],
  ['torch.Size', { type: 'size' }],
  ...DTYPE_NAMES.map((name): [string, PickleGlobal] => [`torch.${name}`, { type: 'dtype' }]),
  ...STORAGES.map(([name, dtype]): [string, PickleGlobal] => [`torch.${name}`, { type: 'storage-class', dtype }]),
]);

export function findGlobal(module: string, name: string, label: string): PickleGlobal {
  const global = GLOBALS.get(`${module}.${name}`);
  if (global === undefined) throw unknownGlobal(`${module}.${name}`, label);
  return global;
}

/** Most often settings that a trainer saved beside the weights. */
function unknownGlobal(name: string, label: string): ExpectedError {
  const way = 'such objects are never made; load it where you trust it and save its state dict alone';
  return refused(`Expected only tensors in ${label} but it asks for ${shown(name)}: ${way}.`);
}

/** What PyTorch's own constructors would make of `args`, as inert records. */
export function construct(global: PickleValue, args: PickleValue, label: string): PickleValue {
  if (!(args instanceof PickleTuple)) throw refused(`Expected a tuple of arguments in ${label} but received something else.`);
  switch (globalType(global)) {
    case 'ordered-dict':
      // Filled by SETITEMS afterwards. A list of pairs here would let a memo multiply the work.
      if (args.items.length > 0) throw refused(`Expected an empty OrderedDict to fill in ${label} but received its items at once.`);
      return new PickleDict(true);
    case 'size':
      return one(args, label);
    case 'parameter':
      return parameter(args, label);
    case 'rebuild':
      return rebuildTensor(args, label);
    default:
      throw refused(`Expected only tensors to be built in ${label} but it calls something else.`);
  }
}

/** The storage that a persistent id `('storage', class, key, device, elements)` names. */
export function resolveStorage(id: PickleValue, label: string): StorageRef {
  const [kind, storageClass, key, , elements] = id instanceof PickleTuple && id.items.length === 5 ? id.items : [];
  if (kind !== 'storage') throw refused(`Expected a storage of five fields in ${label} but received another persistent id.`);
  if (!isStorageClass(storageClass)) throw refused(`Expected a storage class in ${label} but received something else.`);
  if (typeof key !== 'string' || !/^[0-9]{1,9}$/.test(key)) {
    throw refused(`Expected a number as storage key in ${label} but received ${typeof key === 'string' ? shown(key) : 'something else'}.`);
  }
  return { type: 'storage', key, dtype: storageClass.dtype, elements: count(elements, 'a storage size', label) };
}

function rebuildTensor(args: PickleTuple, label: string): TensorRef {
  const [storage, offset, shape, strides, , , metadata] = args.items;
  expectAsStored(metadata, label);
  if (storage === undefined || !isStorage(storage))
    throw refused(`Expected a tensor over a storage in ${label} but received something else.`);
  const ref: TensorRef = {
    type: 'tensor',
    storage,
    offset: count(offset, 'a tensor offset', label),
    shape: counts(shape, 'a shape', label),
    strides: counts(strides, 'strides', label),
  };
  if (ref.shape.length !== ref.strides.length)
    throw refused(`Expected one stride per dimension in ${label} but received ${String(ref.strides.length)}.`);
  return ref;
}

/** PyTorch keeps a tensor's sign and its conjugation as marks beside the bytes (`_neg_view`, `conj`). */
function expectAsStored(metadata: PickleValue | undefined, label: string): void {
  if (!(metadata instanceof PickleDict)) return;
  for (const mark of ['neg', 'conj']) {
    if (metadata.entries.get(mark) !== true) continue;
    throw refused(`Expected tensors as they are stored in ${label} but one is marked "${mark}"; save it after .resolve_${mark}().`);
  }
}

function parameter(args: PickleTuple, label: string): TensorRef {
  const [tensor] = args.items;
  if (tensor === undefined || !isTensor(tensor))
    throw refused(`Expected a parameter to hold a tensor in ${label} but received something else.`);
  return tensor;
}

function one(args: PickleTuple, label: string): PickleTuple {
  const [size] = args.items;
  if (args.items.length !== 1 || !(size instanceof PickleTuple))
    throw refused(`Expected a torch.Size of one tuple in ${label} but received something else.`);
  return size;
}

function counts(value: PickleValue | undefined, what: string, label: string): readonly number[] {
  if (!(value instanceof PickleTuple)) throw complaint(what, value, label);
  if (value.items.length > MAX_RANK)
    throw refused(`Expected at most ${String(MAX_RANK)} dimensions in ${label} but received ${String(value.items.length)}.`);
  return value.items.map((item) => count(item, what, label));
}

function count(value: PickleValue | undefined, what: string, label: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw complaint(what, value, label);
  return value;
}

function complaint(what: string, value: PickleValue | undefined, label: string): ExpectedError {
  const received = typeof value === 'object' ? 'something else' : shown(String(value));
  return refused(`Expected ${what} of whole numbers from 0 in ${label} but received ${received}.`);
}

function globalType(value: PickleValue): string | undefined {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
}

function isStorageClass(value: PickleValue | undefined): value is Extract<PickleGlobal, { type: 'storage-class' }> {
  return value !== undefined && globalType(value) === 'storage-class';
}
