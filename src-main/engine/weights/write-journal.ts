import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readFile, stat, writeFile, type FileHandle } from 'node:fs/promises';

/** One part of a file that was written to its end. */
interface Part {
  readonly bytes: number;
  readonly sha256: string;
}

const PIECE_BYTES = 4 * 2 ** 20;

/**
 * A file that is written part after part, and a journal beside it of the parts that are finished: after a kill or a power cut
 * the same plan goes on behind the last part whose bytes are what the journal says. Without a journal the file must not exist.
 */
export class JournaledFile {
  readonly #file: FileHandle;
  readonly #journal: FileHandle;
  /** Of everything so far. */
  readonly #hash: Hash;
  #bytes: number;
  /** Parts of an earlier try that lie in the file. */
  readonly parts: readonly Part[];

  private constructor(files: { file: FileHandle; journal: FileHandle }, found: { parts: readonly Part[]; hash: Hash }) {
    this.#file = files.file;
    this.#journal = files.journal;
    this.parts = found.parts;
    this.#hash = found.hash;
    this.#bytes = found.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** @param plan what is being written and from what: another plan begins anew. */
  static async open(target: string, plan: string): Promise<JournaledFile> {
    const noted = (await notedParts(`${target}.journal`, plan)) ?? (await begin(target, plan));
    const file = await open(target, constants.O_RDWR | constants.O_CREAT);
    const found = await verified(file, noted);
    await file.truncate(found.parts.reduce((sum, { bytes }) => sum + bytes, 0));
    await writeFile(`${target}.journal`, [plan, ...found.parts.map((part) => JSON.stringify(part)), ''].join('\n'));
    return new JournaledFile({ file, journal: await open(`${target}.journal`, 'a') }, found);
  }

  /** Writes one part; yields the bytes of each piece when it is written. */
  async *write(pieces: Iterable<Uint8Array>): AsyncGenerator<number, void> {
    const hash = createHash('sha256');
    let bytes = 0;
    for (const piece of pieces) {
      hash.update(piece);
      this.#hash.update(piece);
      for (let done = 0; done < piece.byteLength;) {
        const { bytesWritten } = await this.#file.write(piece, done, piece.byteLength - done, this.#bytes + bytes + done);
        done += bytesWritten;
      }
      bytes += piece.byteLength;
      yield piece.byteLength;
    }
    this.#bytes += bytes;
    const part: Part = { bytes, sha256: hash.digest('hex') };
    await this.#journal.write(`${JSON.stringify(part)}\n`);
  }

  async finish(): Promise<{ readonly bytes: number; readonly sha256: string }> {
    await this.#file.sync();
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  async close(): Promise<void> {
    await this.#file.close();
    await this.#journal.close();
  }
}

/** The journal comes first: a file without one is somebody else's. */
async function begin(target: string, plan: string): Promise<readonly Part[]> {
  const taken = await stat(target).then(
    () => true,
    () => false,
  );
  if (taken) throw new Error(`EEXIST: Expected nothing at ${target} yet.`);
  await writeFile(`${target}.journal`, `${plan}\n`);
  return [];
}

/** Undefined where there is no journal, or that of another plan. */
async function notedParts(journal: string, plan: string): Promise<readonly Part[] | undefined> {
  const text = await readFile(journal, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [noted, ...lines] = text.split('\n');
  return noted === plan ? wholeLines(lines) : [];
}

/** Up to the first line that was cut or holds something else. */
function wholeLines(lines: readonly string[]): Part[] {
  const parts: Part[] = [];
  for (const line of lines) {
    const match = /^\{"bytes":(\d{1,15}),"sha256":"([0-9a-f]{64})"\}$/u.exec(line);
    if (!match) break;
    parts.push({ bytes: Number(match[1]), sha256: match[2] ?? '' });
  }
  return parts;
}

/** The parts that the file really holds: a journal may have reached the disk where data did not. */
async function verified(file: FileHandle, noted: readonly Part[]): Promise<{ parts: readonly Part[]; hash: Hash }> {
  const parts: Part[] = [];
  let hash = createHash('sha256');
  let start = 0;
  for (const part of noted) {
    const longer = hash.copy();
    if ((await digestOf(file, { start, bytes: part.bytes }, longer)) !== part.sha256) break;
    hash = longer;
    start += part.bytes;
    parts.push(part);
  }
  return { parts, hash };
}

/** Of some bytes of a file, which also go into `all`; of fewer where it ends before. */
async function digestOf(file: FileHandle, { start, bytes }: { start: number; bytes: number }, all: Hash): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(PIECE_BYTES, bytes));
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, bytes - done), start + done);
    if (bytesRead === 0) break;
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    all.update(piece);
    done += bytesRead;
  }
  return hash.digest('hex');
}
