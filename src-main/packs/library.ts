import type { Dirent } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as v from 'valibot';
import type { PackInfo, PackSummary, PackVerification } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import { isDrawingCard, PackName, type AnyCard, type PackCard } from '#contract/pack-card.js';
import type { TokenizerFacts } from '#contract/tokenizer-report.js';
import type { InstalledPack } from '#engine/door/engine.js';
import { CARD_NAME, parseCard, readCard, writeCard } from './card-file.js';
import { packOfCheckpoints } from './checkpoint-card.js';
import { titleOfFamily, type PublishedFiles } from '#engine/door/published.js';
import { importCheckpoints, importFolder, type ImportWork } from './import.js';
import { verifyFolder, type OnBytes } from './verify.js';

/** A folder with a card that is not used, and why. */
export interface BrokenPack {
  readonly folder: string;
  readonly name: string;
  readonly error: unknown;
}

/** The packs of this machine. Reads the disk at each question: packs come and go while we run. */
export interface Library {
  list(): Promise<readonly PackSummary[]>;
  /** Folders whose card is refused, or whose name another has; they are not in `list`. */
  broken(): Promise<readonly BrokenPack[]>;
  info(name: string): Promise<PackInfo>;
  /** A pack that draws. Throws `pack.unknown`, `pack.unable`, or the reason why the card of that name is refused. */
  find(name: string): Promise<InstalledPack>;
  /** A pack of any family, for what it has besides. */
  findAny(name: string): Promise<InstalledPack<AnyCard>>;
  /** Size and SHA-256 of every file; never throws for damaged files, they are in the answer. */
  verify(name: string, onBytes?: OnBytes): Promise<PackVerification>;
  /** Throws `pack.protected` for built-in packs. */
  remove(name: string): Promise<void>;
  /** Notes in the card of one of the user's packs what its tokenizer keeps; a built-in pack's card says it already. */
  keepTokenizerFacts(name: string, facts: TokenizerFacts): Promise<void>;
  /** Verifies and copies a pack folder into the user's packs. */
  import(folder: string): Promise<PackSummary>;
  /** Makes a pack of published files; named after the transformer's file unless `name` says otherwise. */
  importCheckpoints(files: PublishedFiles, work: ImportWork): Promise<PackSummary>;
}

export interface Shelves {
  /** Folders of packs that come with the program. */
  readonly builtIn: readonly string[];
  /** The folder for the user's own packs; without one the library is read-only. */
  readonly user?: string;
}

interface ShelvedPack extends InstalledPack<AnyCard> {
  readonly builtIn: boolean;
}

interface Scan {
  readonly packs: readonly ShelvedPack[];
  readonly broken: readonly BrokenPack[];
}

export function openLibrary(shelves: Shelves): Library {
  return {
    list: async () => (await scan(shelves)).packs.map(summarise),
    broken: async () => (await scan(shelves)).broken,
    info: async (name) => describe(await findPack(shelves, name)),
    find: async (name) => {
      const { card, folder } = await findPack(shelves, name);
      return { card: drawingCard(card), folder };
    },
    findAny: async (name) => {
      const { card, folder } = await findPack(shelves, name);
      return { card, folder };
    },
    verify: async (name, onBytes) => {
      const { card, folder } = await findPack(shelves, name);
      return verifyFolder(card, folder, onBytes);
    },
    remove: (name) => removePack(shelves, name),
    keepTokenizerFacts: (name, facts) => keepTokenizerFacts(shelves, name, facts),
    import: (folder) => importPack(shelves, folder),
    importCheckpoints: async (files, work) => {
      const pack = packOfCheckpoints(files);
      return addPack(shelves, parseName(pack.cardOf([]).name), (shelf) => importCheckpoints(pack, shelf, work));
    },
  };
}

async function scan(shelves: Shelves): Promise<Scan> {
  const packs = new Map<string, ShelvedPack>();
  const broken: BrokenPack[] = [];
  for (const { shelf, builtIn } of allShelves(shelves)) {
    for (const folder of await packFolders(shelf)) {
      const name = basename(folder);
      try {
        const card = await readCard(folder, name);
        const first = packs.get(card.name);
        // A stranger's pack cannot take the place of a built-in one, and whoever looks for it hears why.
        if (first) broken.push({ folder, name, error: hiddenBy(first) });
        else packs.set(card.name, { card, folder, builtIn });
      } catch (error) {
        broken.push({ folder, name, error });
      }
    }
  }
  return { packs: [...packs.values()], broken };
}

function hiddenBy({ card, folder, builtIn }: ShelvedPack): ExpectedError {
  const other = builtIn ? 'built in' : `in ${folder}`;
  return new ExpectedError('pack.protected', `Expected a pack of another name but "${card.name}" is ${other}; this one is not used.`);
}

function allShelves({ builtIn, user }: Shelves): { shelf: string; builtIn: boolean }[] {
  const own = builtIn.map((shelf) => ({ shelf, builtIn: true }));
  return user === undefined ? own : [...own, { shelf: user, builtIn: false }];
}

/** Folders with a card, in the order of their names; a shelf that does not exist yet is empty. */
async function packFolders(shelf: string): Promise<string[]> {
  const entries = await readFolder(shelf);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => join(shelf, entry.name));
  const withCard: string[] = [];
  for (const folder of folders.sort()) {
    if ((await readFolder(folder)).some((entry) => entry.name === CARD_NAME)) withCard.push(folder);
  }
  return withCard;
}

async function readFolder(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function findPack(shelves: Shelves, name: string): Promise<ShelvedPack> {
  const { packs, broken } = await scan(shelves);
  const found = packs.find((pack) => pack.card.name === name);
  if (found !== undefined) return found;
  const refused = broken.find((pack) => pack.name === name);
  if (refused !== undefined) throw refused.error;
  const names = packs.map((pack) => pack.card.name).join(', ');
  throw new ExpectedError(
    'pack.unknown',
    `Expected an installed pack (${names || 'none is'}) but received ${JSON.stringify(name.slice(0, 64))}.`,
  );
}

function drawingCard(card: AnyCard): PackCard {
  if (isDrawingCard(card)) return card;
  const does = card.family === 'depth' ? 'makes depth maps' : 'selects objects';
  throw new ExpectedError('pack.unable', `Expected a pack that draws pictures but "${card.name}" only ${does}.`);
}

async function removePack(shelves: Shelves, name: string): Promise<void> {
  const pack = await findPack(shelves, name);
  if (pack.builtIn) throw new ExpectedError('pack.protected', `Expected one of your own packs but "${name}" is built in.`);
  await rm(pack.folder, { recursive: true });
}

async function keepTokenizerFacts(shelves: Shelves, name: string, { resolves, lettersFromPx }: TokenizerFacts): Promise<void> {
  const { card, folder, builtIn } = await findPack(shelves, name);
  const known = drawingCard(card);
  if (builtIn || (known.resolves === resolves && known.lettersFromPx === lettersFromPx)) return;
  // Beside it and then in its place: a card is whole at any time.
  await writeCard(folder, parseCard({ ...card, resolves, lettersFromPx }, name), NEW_CARD);
  await rename(join(folder, NEW_CARD), join(folder, CARD_NAME));
}

const NEW_CARD = '.card.json';

async function importPack(shelves: Shelves, folder: string): Promise<PackSummary> {
  const card = await readCard(folder, folder);
  return addPack(shelves, card.name, (shelf) => importFolder(folder, shelf));
}

async function addPack(shelves: Shelves, name: string, add: (shelf: string) => Promise<AnyCard>): Promise<PackSummary> {
  if (shelves.user === undefined)
    throw new ExpectedError('output.unwritable', 'Expected a folder for your packs but this library has none.');
  const taken = (await scan(shelves)).packs.find((pack) => pack.card.name === name);
  if (taken?.builtIn === true) throw new ExpectedError('pack.protected', `Expected a new pack but "${name}" is built in.`);
  if (taken !== undefined) throw new ExpectedError('output.exists', `Expected a new pack but "${name}" is installed already.`);
  const card = await add(shelves.user);
  return summarise({ card, folder: join(shelves.user, card.name), builtIn: false });
}

function parseName(name: string): string {
  if (v.safeParse(PackName, name).success) return name;
  throw new ExpectedError(
    'request.invalid',
    `Expected a name of lower-case letters, digits and hyphens but received ${JSON.stringify(name.slice(0, 64))}.`,
  );
}

function summarise({ card, folder, builtIn }: ShelvedPack): PackSummary {
  const sizeBytes = sizeOf(card);
  const { name, title, version, licence, family } = card;
  const familyTitle = titleOfFamily(family);
  const summary = { name, title, version, builtIn, licence, sizeBytes, folder, family, ...(familyTitle !== undefined && { familyTitle }) };
  return 'precision' in card ? { ...summary, precision: card.precision } : summary;
}

function describe(pack: ShelvedPack): PackInfo {
  return { ...summarise(pack), card: pack.card };
}

function sizeOf(card: AnyCard): number {
  return card.files.reduce((sum, file) => sum + file.bytes, 0);
}
