import { expect, test } from 'vitest';
import { openPictureCoder } from '#engine/networks/picture-coder.js';
import type { GraphModel, Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

const GRAPHS = { encoder: graph('encoder'), decoder: graph('decoder') };

function graph(name: string): GraphModel {
  return { name, bytes: new Uint8Array() };
}

/** Decodes to a picture eight times as wide and high; keeps a diary of its sessions. */
function fakeRunner(provider: string, diary: string[]): Runner {
  return {
    provider,
    fusedAttention: true,
    open: ({ name }) => {
      diary.push(`open ${name}`);
      return Promise.resolve({
        run: async (feeds) => {
          await Promise.resolve();
          const [, , rows = 0, columns = 0] = Object.values(feeds)[0]!.dims;
          return name === 'encoder' ? { features: floats([1, 4, 1, 1]) } : { picture: floats([1, 3, 8 * rows, 8 * columns]) };
        },
        release: () => {
          diary.push(`close ${name}`);
          return Promise.resolve();
        },
      });
    },
  };
}

const codes = (side: number): FloatTensor => floats([1, 4, side, side]);

test('a half is closed behind a large picture and opened for the next one; small ones leave it open', async () => {
  const diary: string[] = [];
  const coder = await openPictureCoder(fakeRunner('cpu', diary), GRAPHS);
  await coder.decode(codes(32));
  await coder.encode(floats([1, 3, 256, 256]));
  expect(diary).toEqual(['open encoder', 'open decoder']);
  await coder.encode(floats([1, 3, 512, 512]));
  expect(diary.splice(0)).toEqual(['open encoder', 'open decoder', 'close encoder']);
  await coder.decode(codes(64));
  expect(diary.splice(0)).toEqual(['close decoder']);
  expect((await coder.decode(codes(64))).dims).toEqual([1, 3, 512, 512]);
  expect(diary.splice(0)).toEqual(['open decoder', 'close decoder']);
  await coder.release();
  expect(diary).toEqual([]);
});

test('the preview of a scale before the last of 512 pixels leaves nothing behind', async () => {
  const diary: string[] = [];
  const coder = await openPictureCoder(fakeRunner('cpu', diary), GRAPHS);
  await coder.decode(codes(48));
  expect(diary).toEqual(['open encoder', 'open decoder', 'close decoder']);
});

test('a half is not closed while another picture is in it, and a device keeps its own memory', async () => {
  const diary: string[] = [];
  const coder = await openPictureCoder(fakeRunner('cpu', diary), GRAPHS);
  await Promise.all([coder.decode(codes(64)), coder.decode(codes(64))]);
  expect(diary).toEqual(['open encoder', 'open decoder', 'close decoder']);
  const onDevice: string[] = [];
  await (await openPictureCoder(fakeRunner('webgpu', onDevice), GRAPHS)).decode(codes(64));
  expect(onDevice).toEqual(['open encoder', 'open decoder']);
});
