// @vitest-environment jsdom
import { flushSync, mount, unmount, type Component } from 'svelte';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MachineReport } from '#contract/api.js';
import { ERROR_CODES, type ErrorCode } from '#contract/errors.js';
import { DEFAULT_BINDINGS } from '#document/keys.js';
import { Machine } from '#state/machine.svelte.js';
import { Preferences } from '#state/preferences.svelte.js';
import { Shortcuts } from '#state/shortcuts.svelte.js';
import { Studio } from '#state/studio.svelte.js';
import ErrorBar from '#ui/errors/ErrorBar.svelte';
import Notices from '#ui/errors/Notices.svelte';
import HardwareDialog from '#ui/hardware/HardwareDialog.svelte';
import { GROUPS } from '#ui/keys/groups.js';
import KeySheet from '#ui/keys/KeySheet.svelte';
import { language } from '#ui/messages/language.svelte.js';
import { messages } from '#ui/messages/messages.js';
import PreferencesDialog from '#ui/preferences/PreferencesDialog.svelte';
import { FakeLink } from '../state/fake-link.js';

let mounted: ReturnType<typeof mount> | undefined;
let link: FakeLink;
let studio: Studio;
let preferences: Preferences;

beforeAll(() => {
  // jsdom draws no modal dialogs.
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
});

beforeEach(() => {
  link = new FakeLink();
  link.table['preferences.write'] = () => null;
  studio = new Studio(link);
  preferences = new Preferences(link);
});

afterEach(async () => {
  if (mounted) await unmount(mounted);
  mounted = undefined;
  language.tag = 'en';
});

function show<P extends Record<string, unknown>>(component: Component<P>, props: P): HTMLElement {
  mounted = mount(component, { target: document.body, props });
  flushSync();
  return document.body;
}

test('language and colours follow the preferences at once, and nothing is drawn before they are known', async () => {
  show(PreferencesDialog, { preferences, packs: [] });
  expect(document.documentElement.dataset['theme']).toBeUndefined();
  await preferences.load();
  preferences.change({ language: 'de', theme: 'light' });
  flushSync();
  const { lang, dataset } = document.documentElement;
  expect([lang, dataset['theme'], messages.undo]).toEqual(['de', 'light', 'Rückgängig']);
  expect(document.querySelector('h2')?.textContent).toBe('Einstellungen');
});

test('every action stands in the sheet once', () => {
  expect(GROUPS.flatMap(({ actions }) => [...actions]).sort()).toEqual(Object.keys(DEFAULT_BINDINGS).sort());
});

test('a key is changed by pressing another; one that is taken is said and can be swapped', () => {
  const shortcuts = new Shortcuts(preferences);
  const body = show(KeySheet, { shortcuts });
  const press = (key: string): void => {
    [...body.querySelectorAll('button')].find(({ ariaLabel, textContent }) => (ariaLabel ?? textContent).startsWith('Brush:'))?.click();
    flushSync();
    body.querySelector('dialog')!.dispatchEvent(new KeyboardEvent('keydown', { key, code: '', bubbles: true }));
    flushSync();
  };
  const said = () => body.querySelector('[role="status"]')?.textContent;
  press('Escape');
  expect(shortcuts.changed).toBe(false);
  press('n');
  expect(shortcuts.bindings.brush).toEqual(['N']);
  press('e');
  expect(said()).toBe('E is taken by “Eraser”. Nothing changed.');
  [...body.querySelectorAll('button')].find(({ textContent }) => textContent === 'Swap the two')?.click();
  flushSync();
  expect([shortcuts.bindings.brush, shortcuts.bindings.eraser]).toEqual([['E'], ['N']]);
  press('Tab');
  expect(said()).toBe('Tab is needed for itself. Nothing changed.');
  [...body.querySelectorAll('button')].find(({ textContent }) => textContent === 'All as in the beginning')?.click();
  expect(shortcuts.changed).toBe(false);
});

test('the hardware is named, with its memory, its measured speed, and why something cannot be used', () => {
  const machine = new Machine(link);
  machine.report = { processor: 'Epyc', threads: 2, memoryBytes: 8e9, freeBytes: 4.2e9, integers: 'unknown', gflops: null };
  studio.serviceInfo.providers = [{ name: 'cpu', available: true }, { name: 'cuda', available: false, whyNot: 'no CUDA driver' }]; // prettier-ignore
  const body = show(HardwareDialog, { studio, machine });
  for (const text of ['Epyc, 2 threads', '4.2 GB free of 8.0 GB', 'known after the first forecast', 'Not here: no CUDA driver'])
    expect(body.textContent).toContain(text);
  machine.report = { ...(machine.report satisfies MachineReport), gflops: 123.4 };
  flushSync();
  expect(body.textContent).toContain('123 GFLOP/s');
  const cpu = body.querySelector<HTMLInputElement>('input[value="cpu"]')!;
  cpu.click();
  expect(studio.settings.provider).toBe('cpu');
  expect(body.querySelector<HTMLInputElement>('input[value="cuda"]')!.disabled).toBe(true);
});

test.each(['en', 'de'] as const)('every failure says its cause, what was kept and what to press, in %s', (tag) => {
  language.tag = tag;
  for (const code of [...Object.keys(ERROR_CODES), 'bug'] as ErrorCode[]) {
    const { cause, kept, press } = messages.problems[code];
    for (const sentence of [cause, kept, press]) expect(sentence, code).toMatch(/^\p{Lu}.{9,}\.$/u);
  }
});

test('a failure is said in the language of the window, with its details, and may be tried again', () => {
  const body = show(ErrorBar, { studio });
  studio.error = { code: 'inference.died', message: 'The inference process ended (SIGKILL).', advice: '' };
  studio.runner.phase = 'failed';
  language.tag = 'de';
  flushSync();
  expect(body.querySelector('[role="alert"]')!.textContent).toContain('Der Prozess, der rechnet, ist zu Ende gegangen.');
  expect(body.textContent).toContain('The inference process ended (SIGKILL).');
  expect([...body.querySelectorAll('button')].map(({ textContent }) => textContent)).toEqual(['Erneut versuchen', 'Schließen']);
  studio.error = { code: 'mask.empty', message: 'Expected a mask.', advice: '' };
  flushSync();
  expect(body.querySelectorAll('button')).toHaveLength(1);
});

test('notices are said in the language of the window', () => {
  const body = show(Notices, { studio });
  studio.notices = [{ code: 'image.cmyk', message: 'The picture was converted.' }];
  language.tag = 'de';
  flushSync();
  expect(body.textContent).toContain('Das Bild wurde von CMYK nach sRGB umgewandelt.');
});
