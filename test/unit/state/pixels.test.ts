import { beforeEach, expect, test, vi } from 'vitest';
import { decodeBitmap } from '#canvas/bitmap.js';
import { Pixels, WholePictures } from '#state/pixels.svelte.js';

/** Bitmaps that know whether they were given back, of photographs of 24 megapixels with their copies. */
interface FakeBitmap {
  readonly width: number;
  readonly height: number;
  closed: boolean;
  close(): void;
}

const SIDES = [6000, 3000, 1500, 1095];
let decoded: FakeBitmap[][];

function bitmapOf(width: number): FakeBitmap {
  const made: FakeBitmap = { width, height: (width / 3) * 2, closed: false, close: () => void (made.closed = true) };
  return made;
}

/** What the worker answers. */
class FakeWorker extends EventTarget {
  postMessage({ id }: { readonly id: number }): void {
    const [bitmap, ...smaller] = SIDES.map(bitmapOf);
    decoded.push([bitmap!, ...smaller]);
    this.dispatchEvent(new MessageEvent('message', { data: { id, out: { bitmap, smaller } } }));
  }
}

beforeEach(() => {
  decoded = [];
  vi.stubGlobal('Worker', FakeWorker);
  vi.stubGlobal('ImageBitmap', EventTarget);
});

async function load(): Promise<ImageBitmap> {
  return (await decodeBitmap(new Blob(['x'])))!;
}

async function pixels(): Promise<Pixels> {
  return new Pixels(await load(), load);
}

const widthsOf = (made: readonly FakeBitmap[] | undefined) => made?.filter(({ closed }) => !closed).map(({ width }) => width);

test('of many large pictures two are whole, and of the others a small copy is there', async () => {
  const store = new WholePictures();
  const all: Pixels[] = [];
  for (let i = 0; i < 5; i++) {
    all.push(await pixels());
    store.add(all.at(-1)!);
  }
  expect(all.map(({ bitmap }) => bitmap.width)).toEqual([1095, 1095, 1095, 6000, 6000]);
  expect(decoded.map(widthsOf)).toEqual([[1095], [1095], [1095], SIDES, SIDES]);
});

test('what is looked at comes back whole, with the copies that are there already, and stays', async () => {
  const store = new WholePictures();
  const all = [await pixels(), await pixels(), await pixels(), await pixels()];
  for (const each of all) store.add(each);
  store.look([all[0]!]);
  await vi.waitUntil(() => all[0]!.bitmap.width === 6000);
  expect(widthsOf(decoded[4])).toEqual([6000, 3000, 1500]);
  expect(all.map(({ bitmap }) => bitmap.width)).toEqual([6000, 1095, 1095, 6000]);
  store.add(await pixels());
  expect(all.map(({ bitmap }) => bitmap.width)).toEqual([6000, 1095, 1095, 1095]);
});

test('a picture that is gone gives everything back, also what was on its way', async () => {
  const store = new WholePictures();
  const all = [await pixels(), await pixels(), await pixels()];
  for (const each of all) store.add(each);
  void all[0]!.bringBack();
  for (const each of all) each.close();
  await vi.waitUntil(() => decoded.length === 4);
  await new Promise(setImmediate);
  expect(decoded.flatMap((made) => widthsOf(made) ?? [])).toEqual([]);
});

test('small pictures are never let go of', async () => {
  const store = new WholePictures(0);
  const small = bitmapOf(300);
  const all = [small, bitmapOf(300)].map((bitmap) => new Pixels(bitmap as unknown as ImageBitmap, load));
  for (const each of all) store.add(each);
  expect(small.closed).toBe(false);
  expect(all[0]!.bitmap.width).toBe(300);
});
