import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLibrary, type Library } from '#packs/library.js';
import { smallCard, writePack } from '../../support/pack-folder.js';

let root: string;
let library: Library;
let builtIn: string;
let user: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'library-test-'));
  builtIn = join(root, 'models');
  user = join(root, 'home', 'packs');
  await writePack(builtIn, smallCard('sketch'));
  await mkdir(join(builtIn, 'training'));
  library = openLibrary({ builtIn: [builtIn], user });
});

afterEach(() => rm(root, { recursive: true }));

describe('a library', () => {
  it('lists folders with a card and nothing else', async () => {
    expect(await library.list()).toEqual([
      {
        name: 'sketch',
        family: 'infinity',
        familyTitle: 'Infinity/VAREdit',
        title: 'A small pack',
        version: '1.0.0',
        builtIn: true,
        licence: 'MIT',
        sizeBytes: 41,
        folder: join(builtIn, 'sketch'),
        precision: 'float32',
      },
    ]);
  });

  it('finds a pack by name and refuses other names with those that it has', async () => {
    expect(await library.find('sketch')).toMatchObject({ folder: join(builtIn, 'sketch'), card: { name: 'sketch' } });
    await expect(library.find('../sketch')).rejects.toMatchObject({
      code: 'pack.unknown',
      message: 'Expected an installed pack (sketch) but received "../sketch".',
    });
  });

  it('keeps a built-in pack in its place when a stranger takes its name', async () => {
    await writePack(user, { ...smallCard('sketch'), title: 'A stranger' });
    expect((await library.info('sketch')).title).toBe('A small pack');
    const [hidden, ...others] = await library.broken();
    expect(hidden).toMatchObject({
      folder: join(user, 'sketch'),
      error: { code: 'pack.protected', message: expect.stringContaining('"sketch" is built in; this one is not used') as string },
    });
    expect(others).toEqual([]);
  });

  it('never removes a built-in pack', async () => {
    await expect(library.remove('sketch')).rejects.toMatchObject({ code: 'pack.protected' });
    expect(await readdir(join(builtIn, 'sketch'))).toContain('weights.safetensors');
  });
});

describe('a card', () => {
  const folder = (): string => join(user, 'strange');
  const writeCard = async (text: string): Promise<void> => {
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), 'card.json'), text);
  };

  it.each([
    [
      'a newer format',
      JSON.stringify({ ...smallCard('strange'), format: 2 }),
      'pack.unable',
      /received format 2, which needs a newer Scalebrush/u,
    ],
    ['no JSON', '<html>', 'pack.damaged', /Expected JSON/u],
    ['a key that reaches for prototypes', '{"__proto__": {"format": 1}}', 'pack.damaged', /Expected JSON/u],
    ['deep nesting', '['.repeat(100_000), 'pack.damaged', /at most 64 nested levels/u],
    [
      'a path as file name',
      JSON.stringify({ ...smallCard('strange'), files: [{ ...smallCard('strange').files[0], name: '../x' }] }),
      'pack.damaged',
      /files\.0\.name/u,
    ],
    ['too many bytes', ' '.repeat(4 * 1024 * 1024 + 1), 'pack.damaged', /at most 4194304 bytes/u],
  ])('with %s is refused by name, and the others stay usable', async (_what, text, code, sentence) => {
    await writeCard(text);
    await expect(library.find('strange')).rejects.toMatchObject({ code, message: expect.stringMatching(sentence) as string });
    expect(await library.broken()).toMatchObject([{ name: 'strange', folder: folder() }]);
    expect((await library.list()).map(({ name }) => name)).toEqual(['sketch']);
  });
});

describe('verification', () => {
  it('accepts a whole pack', async () => {
    expect(await library.verify('sketch')).toEqual({ name: 'sketch', ok: true, files: [{ name: 'weights.safetensors', ok: true }] });
  });

  it('names a file of another size', async () => {
    await truncate(join(builtIn, 'sketch', 'weights.safetensors'), 40);
    const { ok, files } = await library.verify('sketch');
    expect({ ok, reason: files[0]?.reason }).toEqual({ ok: false, reason: 'Expected 41 bytes for weights.safetensors but received 40.' });
  });

  it('names a file of the same size with other bytes', async () => {
    await writeFile(join(builtIn, 'sketch', 'weights.safetensors'), 'x'.repeat(41));
    expect((await library.verify('sketch')).files[0]?.reason).toMatch(
      /^Expected SHA-256 [0-9a-f]{64} for weights\.safetensors but received/u,
    );
  });

  it('names a missing file', async () => {
    await rm(join(builtIn, 'sketch', 'weights.safetensors'));
    expect((await library.verify('sketch')).files[0]?.reason).toContain('ENOENT');
  });
});

describe('an import', () => {
  let download: string;

  beforeEach(async () => {
    download = await writePack(join(root, 'downloads'), smallCard('brought'));
  });

  it('copies card and named files, then the pack can be found, verified and removed', async () => {
    await writeFile(join(download, 'extra.sh'), 'echo');
    expect(await library.import(download)).toMatchObject({ name: 'brought', builtIn: false, folder: join(user, 'brought') });
    expect((await readdir(join(user, 'brought'))).sort()).toEqual(['card.json', 'weights.safetensors']);
    expect((await library.verify('brought')).ok).toBe(true);
    await library.remove('brought');
    expect(await readdir(user)).toEqual([]);
    expect(await readFile(join(download, 'weights.safetensors'), 'utf8')).toContain('not weights');
  });

  it('refuses damaged files and leaves nothing behind', async () => {
    await writeFile(join(download, 'weights.safetensors'), 'x'.repeat(41));
    await expect(library.import(download)).rejects.toMatchObject({ code: 'pack.damaged' });
    expect(await readdir(user)).toEqual([]);
  });

  it('refuses a link in place of a file', async () => {
    const weights = join(download, 'weights.safetensors');
    const elsewhere = join(root, 'elsewhere');
    await writeFile(elsewhere, await readFile(weights));
    await rm(weights);
    await symlink(elsewhere, weights);
    await expect(library.import(download)).rejects.toMatchObject({ code: 'pack.damaged' });
  });

  it('notes in the card what its tokenizer keeps, and leaves built-in cards as they are', async () => {
    await library.import(download);
    await library.keepTokenizerFacts('brought', { resolves: 2.25, lettersFromPx: 14 });
    expect((await library.find('brought')).card).toMatchObject({ resolves: 2.25, lettersFromPx: 14 });
    expect((await readdir(join(user, 'brought'))).sort()).toEqual(['card.json', 'weights.safetensors']);
    await library.keepTokenizerFacts('sketch', { resolves: 2.25, lettersFromPx: 14 });
    expect((await library.find('sketch')).card.resolves).toBeUndefined();
    await expect(library.keepTokenizerFacts('brought', { resolves: Number.NaN, lettersFromPx: null })).rejects.toMatchObject({
      code: 'pack.damaged',
    });
    expect((await library.find('brought')).card.resolves).toBe(2.25);
  });

  it('refuses the name of an installed pack', async () => {
    await library.import(download);
    await expect(library.import(download)).rejects.toMatchObject({ code: 'output.exists' });
    await expect(library.import(join(builtIn, 'sketch'))).rejects.toMatchObject({ code: 'pack.protected' });
  });
});
