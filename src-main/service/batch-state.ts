import { join } from 'node:path';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { readJsonFile } from '#packs/json-file.js';
import { saveFile } from './files.js';
import { shownName } from './names.js';
import { sha256 } from './digest.js';

/** Beside the results, so that a batch can be gone on with wherever its folder is. It holds no path and no instruction. */
const STATE_FILE = '.scalebrush-batch.json';
/** A folder of 100 000 files. */
const LIMITS = { maxBytes: 32 * 1024 * 1024, maxDepth: 4 } as const;

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));

const StateFile = v.object({
  version: v.literal(1),
  /** Digest of the wish that all files share. */
  wish: Sha256,
  /** By the name of the result. `begun` files may have left one behind. */
  files: v.record(v.string(), v.object({ state: v.picklist(['begun', 'done']), source: Sha256 })),
});
type StateFile = v.InferOutput<typeof StateFile>;

/** What of a batch is done, sources by their digest, on disk after every step: a batch that is killed loses the file that was at work. */
export class BatchLedger {
  readonly #folder: string;
  #content: StateFile;

  constructor(folder: string, content: StateFile) {
    this.#folder = folder;
    this.#content = content;
  }

  /** Was this result made of these bytes (their digest), to its end? */
  isDone(output: string, source: string): boolean {
    const file = this.#content.files[output];
    return file?.state === 'done' && file.source === source;
  }

  /** A result that an interrupted start may have left behind is ours to replace. */
  isBegun(output: string): boolean {
    return this.#content.files[output]?.state === 'begun';
  }

  async note(output: string, state: 'begun' | 'done', source: string): Promise<void> {
    const file = { state, source };
    this.#content = { ...this.#content, files: { ...this.#content.files, [output]: file } };
    await saveFile(join(this.#folder, STATE_FILE), new TextEncoder().encode(`${JSON.stringify(this.#content)}\n`));
  }
}

/**
 * The ledger of a folder of results. A new batch forgets what another wish noted; one that resumes must have the same.
 *
 * @throws ExpectedError `request.invalid` where there is nothing to resume, or the wish is another one.
 */
export async function openLedger(folder: string, wish: unknown, resume: boolean): Promise<BatchLedger> {
  const digest = sha256(JSON.stringify(wish));
  const content = await readState(folder);
  const same = content?.wish === digest;
  if (resume && !same) {
    const found = content ? 'a batch with others' : 'no batch';
    throw new ExpectedError('request.invalid', `Expected a batch with these options in ${shownName(folder)} but found ${found}.`);
  }
  return new BatchLedger(folder, same ? content : { version: 1, wish: digest, files: {} });
}

/** Undefined where there is none that can be read: then no file counts as done, and none is overwritten. */
async function readState(folder: string): Promise<StateFile | undefined> {
  const raw = await readJsonFile(join(folder, STATE_FILE), STATE_FILE, LIMITS).catch(() => undefined);
  const parsed = v.safeParse(StateFile, raw);
  return parsed.success ? parsed.output : undefined;
}
