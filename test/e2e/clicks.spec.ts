import { readFile } from 'node:fs/promises';
import { expect, type Locator, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { canvasShot, expectPhase, openBytes, stroke } from './support/studio.js';
import { test } from './support/fake-window.js';

// A busy machine looks for a while.
test.slow();

/** Does what a user's hands do, and counts it as docs/clicks.md says. */
class Hand {
  count = 0;
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async click(what: Locator): Promise<void> {
    this.count += 1;
    await what.click();
  }

  async press(chord: string): Promise<void> {
    this.count += 1;
    await this.#page.keyboard.press(chord);
  }

  /** Where the caret stands. */
  async type(words: string): Promise<void> {
    this.count += 1;
    await this.#page.keyboard.type(words);
  }

  async stroke(): Promise<void> {
    this.count += 1;
    await stroke(this.#page, [0.4, 0.4], [0.6, 0.5]);
  }

  /** Drags files onto the window. */
  async drop(names: readonly string[], bytes: Buffer): Promise<void> {
    this.count += 1;
    const files = names.map((name) => ({ name, text: bytes.toString('base64') }));
    await this.#page.evaluate((dropped) => {
      const dataTransfer = new DataTransfer();
      for (const { name, text } of dropped) {
        dataTransfer.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name, { type: 'image/png' }));
      }
      window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    }, files);
  }
}

/** The rows of the first table of docs/clicks.md: job, ours, the others that do it. */
async function published(): Promise<ReadonlyMap<string, readonly [ours: number, ...others: number[]]>> {
  const [table = ''] = (await readFile('docs/clicks.md', 'utf8')).split('\n## ');
  const rows = table.split('\n').filter((line) => /^\| \S.*\d/u.test(line));
  return new Map(
    rows.map((row) => {
      const [job = '', ...cells] = row.split('|').slice(1, -1).map((cell) => cell.trim()); // prettier-ignore
      return [job, cells.filter((cell) => cell !== '–').map(Number) as unknown as readonly [number, ...number[]]];
    }),
  );
}

const open = async (page: Page, name: string): Promise<void> => {
  await openBytes(page, name, Buffer.from(await scenePng(320, 240)));
  await expect(page.getByTestId('canvas')).toBeVisible();
  await expectPhase(page, 'ready');
  await expect(page.locator('#instruction')).toBeFocused();
};
const steps = (page: Page) => page.getByTestId('history-step');
const mainButton = (page: Page) => page.getByTestId('main-button');

/** Each job, done once before the hand does it on the next picture. */
const JOBS: Readonly<Record<string, (page: Page, hand: Hand) => Promise<void>>> = {
  async 'remove an object'(page, hand) {
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await stroke(page, [0.4, 0.4], [0.6, 0.5]);
    await expect(steps(page)).toHaveCount(2);
    await open(page, 'next.png');
    await hand.stroke();
    await expect(steps(page)).toHaveCount(2);
    await expect(steps(page).last()).toHaveAttribute('aria-current', /./u);
  },
  async 'another variant'(page, hand) {
    await stroke(page, [0.4, 0.4], [0.6, 0.5]);
    await mainButton(page).click();
    await expectPhase(page, 'done');
    const before = await page.getByTestId('candidate').count();
    await hand.press('a');
    await expect.poll(() => page.getByTestId('candidate').count()).toBeGreaterThan(before);
  },
  async 'instruction on the whole photo'(page, hand) {
    await hand.type('make it night');
    await hand.press('Enter');
    await expectPhase(page, 'done');
  },
  async 'expand to 1:1'(page, hand) {
    await hand.click(page.getByRole('button', { name: 'Expand to 1:1' }));
    await hand.click(mainButton(page));
    await expectPhase(page, 'done');
    await expect(page.getByText('320 × 320')).toBeVisible();
  },
  async 'before and after'(page, hand) {
    await page.keyboard.type('make it night');
    await page.keyboard.press('Enter');
    await expectPhase(page, 'done');
    const after = await canvasShot(page);
    await page.getByTestId('canvas').focus();
    hand.count += 1;
    await page.keyboard.down('Tab');
    await expect.poll(async () => (await canvasShot(page)) === after).toBe(false);
    await page.keyboard.up('Tab');
    await expect.poll(async () => (await canvasShot(page)) === after).toBe(true);
  },
  async save(page, hand) {
    await page.keyboard.press('Control+s');
    const first = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    expect((await first).suggestedFilename()).toBe('first.png');
    await open(page, 'next.png');
    await expect(page.getByRole('banner')).toContainText('next.png');
    const second = page.waitForEvent('download');
    await hand.press('Control+Shift+S');
    expect((await second).suggestedFilename()).toBe('next.png');
    await expect(page.getByRole('dialog')).toBeHidden();
  },
  async 'batch of 20'(page, hand) {
    await page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(`results-${String(Date.now())}`, { create: true });
      Object.assign(window, { showDirectoryPicker: () => Promise.resolve(folder) });
    });
    await page.getByRole('button', { name: 'Many pictures at once' }).click();
    await page.getByRole('button', { name: 'Into a folder…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await page.locator('#instruction').focus();
    await hand.type('make it warmer');
    await hand.drop(Array.from({ length: 20 }, (_, i) => `photo-${String(i)}.png`), Buffer.from(await scenePng(32, 24))); // prettier-ignore
    await hand.click(page.getByRole('button', { name: 'Edit all now: “make it warmer”' }));
    await expect(page.getByTestId('batch-target')).toContainText('20 written', { timeout: 90_000 });
  },
};

for (const [job, work] of Object.entries(JOBS)) {
  test(`${job}: as many clicks and keys as docs/clicks.md says, and no more than anywhere else`, async ({ page, server: _ }) => {
    const [ours = 0, ...others] = (await published()).get(job) ?? [];
    await open(page, 'first.png');
    const hand = new Hand(page);
    await work(page, hand);
    expect(hand.count).toBe(ours);
    expect(others.length).toBeGreaterThan(1);
    expect(ours).toBeLessThanOrEqual(Math.min(...others));
  });
}

test('every row of the table is counted', async () => {
  expect([...(await published()).keys()]).toEqual(Object.keys(JOBS));
});
