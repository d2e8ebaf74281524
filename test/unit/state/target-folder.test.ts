import { describe, expect, test } from 'vitest';
import type { BatchEntry } from '#contract/batch.js';
import { TargetFolder, type LentFolder } from '#state/target-folder.svelte.js';

/** A folder in memory; names in `locked` cannot be written. */
function folderOf(files: Map<string, Blob>, locked: readonly string[] = []): LentFolder {
  return {
    name: 'out',
    getFileHandle(name, { create = false } = {}) {
      if (!create && !files.has(name)) return Promise.reject(new Error('NotFoundError'));
      return Promise.resolve({
        createWritable: () =>
          locked.includes(name)
            ? Promise.reject(new Error('The disk is full.'))
            : Promise.resolve({
                write: (file: Blob) => {
                  files.set(name, file);
                  return Promise.resolve();
                },
                close: () => Promise.resolve(),
              }),
      });
    },
  };
}

const entry = (output: string, state: BatchEntry['state']) => ({ source: output, output, format: 'png', state }) as BatchEntry;
const resultOf = ({ output }: BatchEntry) => Promise.resolve({ file: new Blob([output]), name: output });

describe('the folder of a batch', () => {
  test('gets every picture once, as it is done, and nothing there is overwritten', async () => {
    const files = new Map([['a.png', new Blob(['mine'])]]);
    const target = new TargetFolder();
    target.choose(folderOf(files));
    await target.take([entry('a.png', 'done'), entry('b.png', 'running')], resultOf);
    await target.take([entry('a.png', 'done'), entry('b.png', 'done'), entry('c.png', 'refused')], resultOf);
    expect([...files.keys()]).toEqual(['a.png', 'a-2.png', 'b.png']);
    expect([await files.get('a.png')?.text(), await files.get('a-2.png')?.text()]).toEqual(['mine', 'a.png']);
    expect([target.count, target.problem]).toEqual([2, undefined]);
  });

  test('says why a picture could not be written, and begins anew with another batch', async () => {
    const target = new TargetFolder();
    target.choose(folderOf(new Map(), ['a.png']));
    await target.take([entry('a.png', 'done')], resultOf);
    expect([target.count, target.problem]).toEqual([0, 'The disk is full.']);
    target.begin();
    expect(target.problem).toBeUndefined();
  });
});
