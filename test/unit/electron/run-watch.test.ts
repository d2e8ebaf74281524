import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watched, type Outside } from '../../../src-main/electron/run-watch.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function outside() {
  return { progress: vi.fn<Outside['progress']>(), ended: vi.fn<Outside['ended']>() };
}

/** The pieces, with time between them. */
function body(pieces: readonly string[], betweenMs = 0): ReadableStream<Uint8Array> {
  const waiting = [...pieces];
  return new ReadableStream({
    pull(controller) {
      vi.advanceTimersByTime(betweenMs);
      const piece = waiting.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

const scale = (k: number) => `${JSON.stringify({ type: 'scale', candidate: 0, scale: k, of: 4, tokens: 1, ms: 1 })}\n`;
const RUN = ['{"type":"started"}\n', scale(1) + scale(2), scale(3), scale(4), '{"type":"done"}\n'];

describe('a run that is watched', () => {
  it('comes to the page unchanged, however it is cut', async () => {
    const pieces = RUN.join('').match(/.{1,7}/gsu) ?? [];
    expect(await new Response(watched(body(pieces), outside())).text()).toBe(RUN.join(''));
  });

  it('shows how far it is, and nothing when it is over', async () => {
    const seen = outside();
    await new Response(watched(body(RUN), seen)).text();
    expect(seen.progress.mock.calls.flat()).toEqual([0, 0.25, 0.5, 0.75, 1, undefined]);
  });

  it.each([
    ['{"type":"done"}\n', 3000, 'done'],
    ['{"type":"imported"}\n', 3000, 'done'],
    ['{"type":"failed"}\n', 3000, 'failed'],
    ['{"type":"cancelled"}\n', 3000, undefined],
    ['{"type":"done"}\n', 100, undefined],
  ])('that ends with %s after steps of %d ms ends as %s', async (last, betweenMs, how) => {
    const seen = outside();
    await new Response(watched(body([scale(1), last], betweenMs), seen)).text();
    expect(seen.ended.mock.calls).toEqual([[how]]);
  });

  it('that is left is over, and its source is told', async () => {
    const seen = outside();
    const cancel = vi.fn();
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => { controller.enqueue(new TextEncoder().encode(scale(1))); }, cancel }); // prettier-ignore
    const reader = watched(source, seen).getReader();
    await reader.read();
    await reader.cancel('left');
    expect(cancel).toHaveBeenCalledWith('left');
    expect(seen.progress).toHaveBeenLastCalledWith(undefined);
    expect(seen.ended).toHaveBeenCalledExactlyOnceWith(undefined);
  });

  it('whose service dies is over too', async () => {
    const seen = outside();
    const source = new ReadableStream<Uint8Array>({ pull: (controller) => { controller.error(new Error('died')); } }); // prettier-ignore
    await expect(new Response(watched(source, seen)).text()).rejects.toThrow('died');
    expect(seen.ended).toHaveBeenCalledOnce();
  });
});
