import { beforeEach, expect, test, vi } from 'vitest';
import type { EditRequestInput } from '#contract/request.js';
import { MapPreview } from '#state/map-preview.svelte.js';
import { FakeLink, infoOf } from './fake-link.js';

const REQUEST: EditRequestInput = { task: 'edit', pack: 'studio', source: 'photo', control: { kind: 'canny', low: 10 } };

beforeEach(() => {
  let count = 0;
  vi.stubGlobal('URL', { createObjectURL: () => `blob:${++count}`, revokeObjectURL: () => undefined });
});

function open() {
  const link = new FakeLink();
  const asked: EditRequestInput[] = [];
  link.table['control.preview'] = (request) => {
    asked.push(request);
    return infoOf('map');
  };
  return { link, asked, map: new MapPreview(link) };
}

test('the map follows its settings, and only those that change it', async () => {
  const { link, asked, map } = open();
  map.show(REQUEST);
  await vi.waitFor(() => {
    expect(map.url).toBe('blob:1');
  });
  expect(asked).toEqual([{ task: 'edit', pack: 'studio', source: 'photo', control: { kind: 'canny', low: 10 } }]);
  expect(link.closed).toEqual(['map']);
  map.show({ ...REQUEST, instruction: 'make it red', control: { kind: 'canny', low: 10, strength: 0.5, fromScale: 2 } });
  map.show({ ...REQUEST, control: { kind: 'canny', low: 20 } });
  await vi.waitFor(() => {
    expect(map.url).toBe('blob:2');
  });
  expect(asked).toHaveLength(2);
});

test('without control, or where it is refused, there is none', async () => {
  const { link, map } = open();
  map.show(REQUEST);
  await vi.waitFor(() => {
    expect(map.url).toBeDefined();
  });
  map.show({ task: 'edit', source: 'photo' });
  expect(map.url).toBeUndefined();
  link.table['control.preview'] = () => {
    throw new Error('no depth');
  };
  map.show(REQUEST);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(map.url).toBeUndefined();
});

test('of a run within a mask it is asked with that mask, and anew where the mask is another', async () => {
  const { asked, map } = open();
  const complete = (request: EditRequestInput) => Promise.resolve({ ...request, mask: `sent-${String(request.mask)}` });
  for (const mask of ['a', 'b']) {
    map.show({ ...REQUEST, mask, blend: 3 }, complete);
    await vi.waitFor(() => {
      expect(asked.at(-1)).toMatchObject({ mask: `sent-${mask}`, blend: 3 });
    });
  }
  expect(asked).toHaveLength(2);
});
