import { cp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, type Page } from '@playwright/test';
import { LOOKS, smallTargets, spills, violations } from './support/looks.js';
import { expectPhase, test, type Program } from './support/studio.js';

async function scene(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Red car' }).click();
  await expectPhase(page, 'ready');
}

async function openPanel(page: Page, name: 'Models…' | 'Hardware…'): Promise<void> {
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name }).click();
}

const packOf = (page: Page) => page.getByRole('combobox', { name: 'Model' });
const licenceQuestion = (page: Page) => page.getByRole('dialog', { name: 'Before the first use' });

async function choose(page: Page, field: RegExp, value: string): Promise<void> {
  await page.keyboard.press('Control+,');
  await page.getByRole('combobox', { name: field }).selectOption(value);
  await page.keyboard.press('Escape');
}

test('language and colours change without a restart, and stay after one', async ({ studio, program }) => {
  const { page } = studio;
  const panel = ({ page: shown }: Program) => shown.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await panel(studio);
  await scene(page);
  await choose(page, /Colours/u, 'dark');
  expect(await panel(studio)).not.toBe(light);
  await choose(page, /Language/u, 'de');
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await expect(page.getByTestId('main-button')).toHaveText(/^Bearbeiten/u);
  await expect(page.getByRole('button', { name: 'Rückgängig' })).toBeVisible();
  await expect.poll(() => readFile(path.join(program.home, 'preferences.json'), 'utf8')).toContain('"language": "de"');
  await page.getByRole('button', { name: 'Bild schließen' }).click();
  await studio.stop();
  const again = await program.start();
  await expect(again.page.getByRole('button', { name: 'Foto öffnen' })).toBeVisible();
  expect(await panel(again)).not.toBe(light);
  await choose(again.page, /Sprache/u, 'system');
  await expect(again.page.getByRole('button', { name: 'Open a photo' })).toBeVisible();
});

test('errors are said in the language of the window', async ({ studio: { page } }) => {
  await scene(page);
  await choose(page, /Language/u, 'de');
  await page.getByTestId('file-input').setInputFiles({ name: 'page.png', mimeType: 'image/png', buffer: Buffer.from('<!doctype html>') });
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('ließ sich nicht als Bild lesen');
  await expect(alert).toContainText('Im Fenster hat sich nichts geändert');
  await expect(alert).toContainText('Öffnen drücken');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
});

const SHIFT = 8;
const CONTROL = 2;
/** Windows sends AltGr as Ctrl and Alt. */
const ALT_GR = CONTROL + 1;

/** A key as a Swiss keyboard sends it. */
async function swiss(page: Page, press: { readonly key: string; readonly code: string; readonly modifiers?: number }): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...press });
  await session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...press });
  await session.detach();
}

async function tabTo(page: Page, wanted: RegExp): Promise<void> {
  for (let step = 0; step < 80; step++) {
    const focused = await page.evaluate(() => {
      const { activeElement } = document;
      return `${activeElement?.getAttribute('aria-label') ?? ''} ${activeElement?.textContent ?? ''}`.trim();
    });
    if (wanted.test(focused)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Expected to reach ${String(wanted)} by Tab.`);
}

test('the whole job by keyboard alone, on a Swiss layout, with each scale announced', async ({ studio: { page } }) => {
  await tabTo(page, /^Red car$/u);
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toBeFocused();
  await page.keyboard.press('Escape');
  await swiss(page, { key: '?', code: 'Minus', modifiers: SHIFT });
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.evaluate(() => {
    const said: string[] = [];
    const status = document.querySelector('.run [role="status"]')!;
    new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true, characterData: true, subtree: true });
    Object.assign(window, { said });
  });
  await swiss(page, { key: 'i', code: 'KeyI' });
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toBeFocused();
  await page.keyboard.type('make the car blue');
  await swiss(page, { key: 'Enter', code: 'Enter', modifiers: CONTROL });
  await expectPhase(page, 'done');
  const said = await page.evaluate(() => (window as unknown as { said: string[] }).said);
  expect(said).toContain('Scale 4 of 8');
  expect(said.at(-1)).toMatch(/^Done in/u);
  await page.keyboard.press('Tab');
  await swiss(page, { key: 'k', code: 'KeyK' });
  await expectPhase(page, 'ready');

  await tabTo(page, /^Picture/u);
  const size = () => page.getByRole('slider', { name: 'Brush size' }).getAttribute('aria-valuetext');
  const before = parseInt((await size())!);
  await swiss(page, { key: ']', code: 'BracketRight', modifiers: ALT_GR });
  const larger = parseInt((await size())!);
  expect(larger).toBeGreaterThan(before);
  await swiss(page, { key: '[', code: 'BracketLeft', modifiers: ALT_GR });
  expect(parseInt((await size())!)).toBeLessThan(larger);
  for (const key of ['ArrowLeft', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
  await expect(page.getByTestId('main-button')).toHaveText(/^Fill/u);
  await swiss(page, { key: 'z', code: 'KeyY', modifiers: CONTROL });
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  await swiss(page, { key: '+', code: 'Digit1', modifiers: SHIFT });
  await swiss(page, { key: 's', code: 'KeyS', modifiers: CONTROL });
  await expect(page.getByRole('dialog', { name: 'Save the picture' })).toBeVisible();
  await tabTo(page, /^Save$/u);
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  expect(download.suggestedFilename()).toMatch(/^Red car/u);
});

test('keys are changed on the sheet, also where Cyrillic is printed', async ({ studio: { page } }) => {
  await scene(page);
  const pressed = (name: string) => page.getByRole('button', { name, exact: true }).getAttribute('aria-pressed');
  await page.keyboard.press('Escape');
  await swiss(page, { key: 'у', code: 'KeyE' });
  expect(await pressed('Eraser')).toBe('true');
  await page.keyboard.press('F1');
  const sheet = page.getByRole('dialog', { name: 'Keys' });
  await sheet.getByRole('button', { name: 'Brush: B. Change' }).press('Enter');
  await page.keyboard.press('e');
  await expect(sheet.getByRole('status')).toHaveText('E is taken by “Eraser”. Nothing changed.');
  await sheet.getByRole('button', { name: 'Brush: B. Change' }).press('Enter');
  await page.keyboard.press('n');
  await expect(sheet.getByRole('button', { name: 'Brush: N. Change' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('b');
  expect(await pressed('Eraser')).toBe('true');
  await page.keyboard.press('n');
  expect(await pressed('Brush')).toBe('true');
  // Letters look for an entry of a list; commands still are commands.
  await page.getByTestId('canvas').press('Enter');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  await page.getByRole('combobox', { name: 'Control', exact: true }).focus();
  await page.keyboard.press('e');
  expect(await pressed('Brush')).toBe('true');
  const control = page.getByRole('combobox', { name: 'Control', exact: true });
  await expect(control).toHaveValue('canny');
  await page.keyboard.press('ControlOrMeta+z');
  await expect(control).toHaveValue('none');
  await page.keyboard.press('ControlOrMeta+z');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('');
  await page.keyboard.type('eq?');
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('eq?');
  expect(await pressed('Brush')).toBe('true');
});

test('earlier instructions are searched by keys', async ({ studio: { page } }) => {
  await scene(page);
  const box = page.getByRole('textbox', { name: 'Instruction' });
  await expect(page.getByRole('button', { name: 'Earlier…' })).toBeDisabled();
  for (const words of ['make it night', 'make the car blue', 'make it warmer']) {
    await box.fill(words);
    await box.press('Enter');
    await expectPhase(page, 'done');
  }
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('u');
  const menu = page.getByRole('dialog', { name: 'Earlier instructions' });
  await expect(menu.getByRole('searchbox')).toBeFocused();
  await expect(menu.getByRole('status')).toHaveText('3 instructions');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.type('it make');
  await expect(menu.getByRole('status')).toHaveText('2 instructions');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(menu).toBeHidden();
  await expect(box).toHaveValue('make it night');
  await expect(box).toBeFocused();
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('u');
  await page.keyboard.type('blue');
  await page.keyboard.press('Enter');
  await expect(box).toHaveValue('make the car blue');
});

test('the licences of the program and of its parts can be read', async ({ studio: { page } }) => {
  await openPanel(page, 'Models…');
  await page.getByText('Licences of the program').click();
  const text = page.getByRole('textbox', { name: /^Licences/u });
  await expect(text).toHaveValue(/^MIT License.*GNU LESSER GENERAL PUBLIC LICENSE.*onnxruntime-node/su);
  expect(await violations(page)).toEqual([]);
});

/** The published layout of a VAR checkpoint, small, under the names that the known pack has. */
const HUB_FILES: Readonly<Record<string, string>> = {
  'var_d16.pth': 'test/golden/var-mini/var_d3.pth',
  'vae_ch160v4096z32.pth': 'test/golden/var-mini/vae_ch32v64z8.pth',
};

test.describe('packs', () => {
  let hub: Server;

  test.beforeAll(async () => {
    const bytes = new Map<string, Buffer>();
    for (const [name, file] of Object.entries(HUB_FILES)) bytes.set(name, await readFile(file));
    hub = createServer((request, response) => {
      if (request.url?.startsWith('/api/models/')) {
        const siblings = [...bytes].map(([rfilename, { length }]) => ({ rfilename, size: length }));
        response.end(JSON.stringify({ cardData: { license: 'mit' }, siblings }));
      } else response.end(bytes.get(path.basename(request.url ?? '')));
    });
    await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
    process.env['HF_ENDPOINT'] = `http://127.0.0.1:${String((hub.address() as AddressInfo).port)}`;
  });

  test.afterAll(async () => {
    delete process.env['HF_ENDPOINT'];
    hub.closeAllConnections();
    await new Promise((resolve) => hub.close(resolve));
  });

  test('a known pack is fetched with its licences, verified, used, and removed; the built-in one stays', async ({
    studio: { page },
    program,
  }) => {
    await openPanel(page, 'Models…');
    const dialog = page.getByRole('dialog', { name: 'Models' });
    await expect(dialog.getByText('Came with the program and stays.')).toBeVisible();
    await expect(dialog.getByRole('button', { name: /Remove/u })).toHaveCount(0);
    await dialog.getByRole('button', { name: 'VAR-d16, 256 px', exact: true }).click();
    await expect(dialog.getByText('FoundationVision/var/var_d16.pth')).toBeVisible();
    await expect(dialog.getByText(/Licence: mit/u)).toHaveCount(2);
    const add = dialog.getByRole('button', { name: 'Fetch and import' });
    await expect(add).toBeDisabled();
    await dialog.getByRole('checkbox').check();
    expect(await violations(page)).toEqual([]);
    await add.click();
    await expect(dialog.getByRole('button', { name: /Remove/u })).toBeVisible();
    await expect(dialog.getByText('experimental', { exact: true }).first()).toBeVisible();
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await expect(dialog.getByText('Every file is as its card says.')).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Use this model' }).click();
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('var-d16');
    await writeFile(path.join(program.home, 'packs/var-d16/transformer.safetensors'), 'x');
    await dialog.getByRole('button', { name: 'Verify' }).click();
    await expect(dialog.getByText(/^Expected \d+ bytes for transformer/u)).toBeVisible();
    await dialog.getByRole('button', { name: /Remove/u }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await expect(dialog.getByRole('button', { name: /^VAR-d16/u })).toHaveCount(1);
    await expect(page.getByRole('combobox', { name: 'Model' })).toHaveValue('studio');
  });

  test('a pack of others is used after its licence was accepted, which is asked once', async ({ program }) => {
    const folder = path.join(program.home, 'packs/mine');
    await cp('models/sketch', folder, { recursive: true });
    const card = JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')) as object;
    await writeFile(path.join(folder, 'card.json'), JSON.stringify({ ...card, name: 'mine', title: 'Mine', licence: 'CC BY-NC 4.0' }));
    const first = await program.start();
    const asked = licenceQuestion(first.page);
    await first.page.getByText('More', { exact: true }).click();
    await packOf(first.page).selectOption('mine');
    await expect(asked).toContainText('CC BY-NC 4.0');
    expect(await violations(first.page)).toEqual([]);
    await first.page.keyboard.press('Escape');
    await expect(asked).toBeHidden();
    await expect(packOf(first.page)).toHaveValue('studio');
    await packOf(first.page).selectOption('mine');
    await asked.getByRole('button', { name: 'Accept and use' }).click();
    await expect(asked).toBeHidden();
    await expect(packOf(first.page)).toHaveValue('mine');
    await first.stop();
    const { page } = await program.start();
    await page.getByText('More', { exact: true }).click();
    await packOf(page).selectOption('mine');
    await scene(page);
    await expect(licenceQuestion(page)).toBeHidden();
    await expect(packOf(page)).toHaveValue('mine');
  });
});

test('the hardware is shown with its memory and reasons, and one is chosen', async ({ studio: { page } }) => {
  await openPanel(page, 'Hardware…');
  const dialog = page.getByRole('dialog', { name: 'Hardware' });
  await expect(dialog.getByText(/GB free of/u)).toBeVisible();
  await expect(dialog.getByRole('radio', { name: /Core ML|CUDA|cuda/u }).first()).toBeVisible();
  await dialog.getByRole('radio', { name: /processor/u }).check();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('combobox', { name: 'Provider' })).toHaveValue('cpu');
  await scene(page);
  await expect(page.getByTestId('main-button')).toBeVisible();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Hardware…' }).click();
  await expect(dialog.getByText(/GFLOP\/s/u)).toBeVisible();
});

for (const { name, ...look } of LOOKS) {
  test.describe(name, () => {
    test.use(look);

    test('every dialog is clean for axe and spills nothing, in both languages', async ({ studio: { page } }) => {
      await page.getByText('More', { exact: true }).click();
      for (const tag of ['en', 'de']) {
        await choose(page, /Language|Sprache/u, tag);
        const openers = {
          preferences: () => page.keyboard.press('Control+,'),
          keys: () => page.keyboard.press('F1'),
          packs: () => page.getByRole('button', { name: /^(?:Models|Modelle)…/u }).click(),
          hardware: () => page.getByRole('button', { name: /^(?:Hardware)…/u }).click(),
        };
        for (const [name, open] of Object.entries(openers)) {
          await open();
          await expect(page.locator('dialog[open] h2')).toBeVisible();
          expect(await violations(page), `${name} ${tag}`).toEqual([]);
          expect(await spills(page), `${name} ${tag}`).toEqual([]);
          expect(await smallTargets(page), `${name} ${tag}`).toEqual([]);
          await page.keyboard.press('Escape');
        }
      }
    });
  });
}

test.describe('in German at 1024 × 700', () => {
  test.use({ locale: 'de-CH', viewport: { width: 1024, height: 700 } });

  test('the window speaks German by itself, and nothing spills over in any state', async ({ studio: { page } }) => {
    const instruction = page.getByRole('textbox', { name: 'Anweisung' });
    const states: Record<string, () => Promise<void>> = {
      empty: () => Promise.resolve(),
      ready: async () => {
        await page.getByRole('button', { name: 'Rotes Auto' }).click();
        await expectPhase(page, 'ready');
      },
      unknown: async () => {
        await instruction.fill('make the unicorn blue');
        await expect(page.getByTestId('unknown-words')).toBeVisible();
        await page.getByText('Mehr', { exact: true }).click();
      },
      control: async () => {
        await page.getByRole('combobox', { name: 'Steuerung' }).selectOption('canny');
        await expect(page.getByRole('img', { name: 'Die Karte' })).toBeVisible();
      },
      done: async () => {
        await instruction.fill('make the car blue');
        await page.getByTestId('main-button').click();
        await expectPhase(page, 'done');
      },
      picked: async () => {
        await page.getByRole('button', { name: 'Stufe 3 von 8' }).click();
        await expect(page.getByRole('button', { name: 'Bei Stufe 3 anhalten' })).toBeVisible();
      },
      save: () => page.keyboard.press('Control+s'),
    };
    for (const [name, enter] of Object.entries(states)) {
      await enter();
      expect(await violations(page), name).toEqual([]);
      expect(await spills(page), name).toEqual([]);
    }
  });
});
