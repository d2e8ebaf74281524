import { counting } from './safetensors-writer.js';
import type { ZipFile, ZipOptions } from './zip-writer.js';
import { zip } from './zip-writer.js';

/** A PyTorch checkpoint: this pickle, these storages (`data/KEY` → bytes) and what else is given. */
export function torchFile(
  pickled: Uint8Array,
  contents: {
    readonly storages?: Readonly<Record<string, Uint8Array>>;
    readonly extra?: readonly ZipFile[];
    readonly zip?: ZipOptions;
  } = {},
): Buffer {
  const storages = Object.entries(contents.storages ?? { '0': counting(16) });
  const files: ZipFile[] = [
    { name: 'archive/data.pkl', data: pickled },
    ...storages.map(([key, data]) => ({ name: `archive/data/${key}`, data })),
    { name: 'archive/version', data: Buffer.from('3\n') },
    ...(contents.extra ?? []),
  ];
  return zip(files, { align: true, ...contents.zip });
}
