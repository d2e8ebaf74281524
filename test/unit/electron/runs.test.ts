import type { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { SHELL_WORDS } from '../../../src-main/electron/words.js';

const shown = vi.hoisted(() => [] as { body: string; note: EventEmitter }[]);

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  class Notification extends Emitter {
    static isSupported = () => true;
    readonly options: { body: string };
    constructor(options: { body: string }) {
      super();
      this.options = options;
    }
    show() {
      shown.push({ body: this.options.body, note: this });
    }
  }
  return { Notification };
});

const SETTINGS = { words: SHELL_WORDS.de };
const { Runs } = await import('../../../src-main/electron/runs.js');

const window = { focused: false, isFocused: () => window.focused, setProgressBar: vi.fn(), focus: vi.fn() };

function runOf(last: string): Response {
  vi.useFakeTimers();
  const pieces = ['{"type":"started"}\n', last];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      vi.advanceTimersByTime(4000);
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
  return new Response(body);
}

beforeEach(() => {
  shown.length = 0;
  window.focused = false;
  window.setProgressBar.mockClear();
});

describe('long work', () => {
  it.each([
    ['{"type":"done"}\n', 'Das Bild ist fertig.'],
    ['{"type":"failed"}\n', 'Die Arbeit endete vorzeitig; das Fenster sagt, warum.'],
  ])('that ends unseen with %s is announced, and the announcement brings the window', async (last, body) => {
    const runs = new Runs(() => window as never, SETTINGS);
    await runs.watch(runOf(last)).text();
    vi.useRealTimers();
    expect(shown.map((each) => each.body)).toEqual([body]);
    shown[0]?.note.emit('click');
    expect(window.focus).toHaveBeenCalled();
    expect(window.setProgressBar.mock.calls).toEqual([[0], [-1]]);
  });

  it('that ends before one’s eyes is not', async () => {
    window.focused = true;
    await new Runs(() => window as never, SETTINGS).watch(runOf('{"type":"done"}\n')).text();
    vi.useRealTimers();
    expect(shown).toEqual([]);
  });

  it('keeps others waiting until it is over', async () => {
    const runs = new Runs(() => undefined, SETTINGS);
    await runs.whenIdle();
    const response = runs.watch(runOf('{"type":"done"}\n'));
    let idle = false;
    const waiting = runs.whenIdle().then(() => (idle = true));
    await Promise.resolve();
    expect(idle).toBe(false);
    await response.text();
    vi.useRealTimers();
    await waiting;
    expect(idle).toBe(true);
  });
});
