// @vitest-environment jsdom
import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Studio } from '#state/studio.svelte.js';
import { FakeLink } from '../state/fake-link.js';
import ErrorBar from '#ui/errors/ErrorBar.svelte';
import ExpandFields from '#ui/expand/ExpandFields.svelte';
import MorePanel from '#ui/more/MorePanel.svelte';
import Presets from '#ui/presets/Presets.svelte';
import Prompt from '#ui/prompt/Prompt.svelte';
import RunButton from '#ui/run/RunButton.svelte';

let mounted: ReturnType<typeof mount> | undefined;
let link: FakeLink;
let studio: Studio;

beforeEach(() => {
  link = new FakeLink();
  studio = new Studio(link);
});

afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = undefined;
});

function show(component: Component<{ studio: Studio }>): HTMLElement {
  mounted = mount(component, { target: document.body, props: { studio } });
  flushSync();
  return document.body;
}

function type(element: HTMLInputElement | HTMLTextAreaElement, text: string): void {
  element.value = text;
  element.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

describe('the instruction box', () => {
  test('names each unknown word, twice where it stands twice, and replaces it by a press', () => {
    const body = show(Prompt);
    type(body.querySelector('textarea')!, 'make the unicorn red, unicorn');
    const word = { word: 'unicorn', suggestions: ['car', 'house'] };
    studio.serviceInfo.wording = { unknownWords: [word, word], understands: ['make the car red'], known: false, cut: false };
    flushSync();
    expect(body.querySelectorAll('[data-testid="unknown-words"] li')).toHaveLength(2);
    body.querySelector<HTMLButtonElement>('#wording button')!.click();
    flushSync();
    expect(body.querySelector('textarea')!.value).toBe('make the car red, car');
  });

  test('runs on Enter, not on Shift Enter nor while a script is being composed', () => {
    const run = vi.spyOn(studio.runner, 'press').mockResolvedValue();
    const box = show(Prompt).querySelector('textarea')!;
    for (const init of [{ shiftKey: true }, { isComposing: true }, {}])
      box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, ...init }));
    expect(run).toHaveBeenCalledTimes(1);
  });
});

describe('the main button', () => {
  test('is disabled and says what is missing while there is no photo', () => {
    const body = show(RunButton);
    expect(body.querySelector('button')!.disabled).toBe(true);
    expect(body.querySelector('[role="status"]')!.textContent).toBe('Open a photo to begin.');
  });

  test('becomes Cancel while a run goes on, and the second click of a double click does nothing', () => {
    const cancel = vi.spyOn(studio, 'cancel');
    const body = show(RunButton);
    studio.runner.phase = 'running';
    flushSync();
    const button = body.querySelector('button')!;
    expect(button.textContent.trim()).toBe('Cancel');
    button.dispatchEvent(new MouseEvent('click', { detail: 2, bubbles: true }));
    expect(cancel).not.toHaveBeenCalled();
    button.dispatchEvent(new MouseEvent('click', { detail: 1, bubbles: true }));
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('announces preparation and then each scale', () => {
    const body = show(RunButton);
    studio.runner.phase = 'running';
    flushSync();
    const status = body.querySelector('[role="status"]')!;
    expect(status.textContent).toBe('Preparing…');
    const crop = { x: 0, y: 0, width: 1, height: 1 };
    studio.strip.begin({ schedule: [[1, 1], [2, 2]], crop } as unknown as Parameters<typeof studio.strip.begin>[0]); // prettier-ignore
    studio.strip.reach({ type: 'scale', candidate: 0, scale: 1, of: 2, tokens: 1, ms: 1 });
    flushSync();
    expect(status.textContent).toBe('Scale 1 of 2');
  });
});

test('the presets show their cost and set the request', () => {
  const body = show(Presets);
  const cost = (ms: number) => ({ ms, bytes: 64 * 1024 ** 2, layers: 4 });
  studio.serviceInfo.forecast = { best: cost(2500), balanced: cost(1000), fast: cost(999.6), draft: cost(120), availableBytes: 1e9 };
  flushSync();
  expect([...body.querySelectorAll('small')].map(({ textContent }) => textContent)).toEqual([
    '2.5 s · 64 MB',
    '1.0 s · 64 MB',
    '1.0 s · 64 MB',
    '120 ms · 64 MB',
  ]);
  expect(body.textContent).not.toContain('experimental');
  studio.serviceInfo.pack = { card: { untrainedPresets: ['draft'] } } as unknown as NonNullable<typeof studio.serviceInfo.pack>;
  flushSync();
  expect(body.querySelectorAll('.experimental')).toHaveLength(1);
  body.querySelector<HTMLInputElement>('input[value="draft"]')!.click();
  expect(studio.settings.preset).toBe('draft');
});

describe('before a run that is too big', () => {
  const cost = (megabytes: number) => ({ ms: 1, bytes: megabytes * 1024 ** 2, layers: 4 });
  const forecastWith = (megabytes: number) => ({
    best: cost(400),
    balanced: cost(300),
    fast: cost(200),
    draft: cost(100),
    availableBytes: megabytes * 1024 ** 2,
  });
  const lackIn = (body: HTMLElement) => body.querySelector('[data-testid="memory-lack"]')!;

  beforeEach(async () => {
    vi.stubGlobal('createImageBitmap', () => Promise.resolve({ width: 40, height: 30, close: () => undefined }));
    // jsdom draws nothing.
    HTMLCanvasElement.prototype.getContext = () => null;
    await studio.opener.openFile(new Blob(['x']), 'a.png');
    studio.change({ instruction: 'make it warmer' });
  });

  test('the window says what is needed and what there is, and takes the preset that fits at a press', () => {
    const body = show(RunButton);
    expect(lackIn(body).textContent.trim()).toBe('');
    studio.serviceInfo.forecast = forecastWith(250);
    flushSync();
    expect(lackIn(body).textContent).toMatch(/Balanced needs 300 MB of memory; there are 250 MB for it\.\s+Fast fits\./u);
    expect(body.querySelector<HTMLButtonElement>('[data-testid="main-button"]')!.disabled).toBe(false);
    lackIn(body).querySelector('button')!.click();
    flushSync();
    expect(studio.settings.preset).toBe('fast');
    expect(lackIn(body).textContent.trim()).toBe('');
    expect(document.activeElement).toBe(body.querySelector('[data-testid="main-button"]'));
  });

  test('where nothing fits, nothing is offered', () => {
    const body = show(RunButton);
    studio.serviceInfo.forecast = forecastWith(50);
    flushSync();
    expect(lackIn(body).textContent).toContain('No speed fits');
    expect(lackIn(body).querySelector('button')).toBeNull();
  });

  test('each preset that is too big says so', () => {
    const body = show(Presets);
    studio.serviceInfo.forecast = forecastWith(250);
    flushSync();
    const described = [...body.querySelectorAll('input')].map((input) =>
      input.getAttribute('aria-describedby')!.split(' ').map((id) => document.getElementById(id)?.textContent ?? '').at(-1),
    ); // prettier-ignore
    expect(described).toEqual(['does not fit', 'does not fit', '', '']);
  });
});

test.each([
  ['40', 40],
  ['-5', 0],
  ['99999', 16384],
  ['12.6', 13],
  ['', 0],
])('a margin typed as %j is %i pixels', (typed, pixels) => {
  type(show(ExpandFields).querySelector('input')!, typed);
  expect(studio.settings.margins.left).toBe(pixels);
});

test('an emptied guidance is the pack’s own again', () => {
  const [, guidance] = show(MorePanel).querySelectorAll('input');
  type(guidance!, '3.5');
  expect(studio.settings.guidance).toBe(3.5);
  type(guidance!, '');
  expect(studio.settings.guidance).toBeUndefined();
});

test('a seed that cannot be is said while it is typed, and −1 draws one', () => {
  const body = show(MorePanel);
  const [seed] = body.querySelectorAll('input');
  const said = () => body.querySelector('label [role="status"]')?.textContent;
  for (const [typed, used] of [
    ['4294967296', 0xffff_ffff],
    ['1.5', 2],
    ['-2', 0],
  ] as const) {
    type(seed!, typed);
    expect([studio.settings.seed, said()]).toEqual([used, 'Whole numbers from 0 to 4294967295; -1 draws one.']);
  }
  const draw = vi.spyOn(crypto, 'getRandomValues').mockReturnValue(Uint32Array.of(123_456));
  type(seed!, '-1');
  expect([studio.settings.seed, said()]).toEqual([123_456, undefined]);
  seed!.dispatchEvent(new FocusEvent('blur'));
  expect(seed!.value).toBe('123456');
  draw.mockRestore();
});

test('a provider that cannot be used here cannot be chosen', () => {
  studio.serviceInfo.providers = [{ name: 'cpu', available: true }, { name: 'cuda', available: false, whyNot: 'no CUDA driver' }]; // prettier-ignore
  const body = show(MorePanel);
  expect([...body.querySelectorAll('option')].filter(({ disabled }) => disabled).map(({ value }) => value)).toEqual(['cuda']);
});

describe('an error', () => {
  test('of too little memory offers the preset that fits, and any other offers none', () => {
    studio.error = { code: 'memory.too-little', message: 'This needs more.', advice: '', details: { preset: 'fast' } };
    const body = show(ErrorBar);
    const offer = [...body.querySelectorAll('button')].find(({ textContent }) => textContent === 'Use Fast');
    offer?.click();
    flushSync();
    expect(studio.settings.preset).toBe('fast');
    studio.error = { code: 'pack.unknown', message: 'No such pack.', advice: '', details: {} };
    flushSync();
    expect([...body.querySelectorAll('button')].map(({ textContent }) => textContent)).toEqual(['Dismiss']);
  });
});
