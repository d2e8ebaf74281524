import { basename, join } from 'node:path';
import { canonicalJson } from '#base/canonical-json.js';
import { numberedName } from '#base/file-name.js';
import type { BatchChange, BatchEntry } from '#contract/batch.js';
import { expectGoing } from '#contract/ending.js';
import { CancelledError, toErrorData } from '#contract/errors.js';
import type { Framing } from '#contract/framing.js';
import type { FarmEvent } from '#contract/farm.js';
import { DEFAULT_PACK, EditRequest, type EditRequestInput } from '#contract/request.js';
import type { Farm, FarmEntry } from '#service/farm.js';
import type { BatchLedger } from '#service/batch-state.js';
import { readPictureFile, saveFile } from '#service/files.js';
import { parseInput } from '#service/parse.js';
import type { Context } from './command.js';
import type { OpenPictures } from './request-pictures.js';
import type { ControlWish } from './task-options.js';
import { digestOf, sha256 } from '#service/digest.js';

export interface OpenSource {
  readonly request: EditRequestInput;
  readonly close: () => Promise<void>;
}

/** As much of a batch as the farm needs. */
interface FarmBatch {
  readonly values: { readonly detach?: boolean; readonly format?: string };
  readonly folder: string;
  readonly wish: EditRequestInput;
  readonly control: ControlWish | undefined;
  readonly framing: Framing | undefined;
  readonly shared: Omit<OpenPictures, 'source'>;
  readonly ledger: BatchLedger;
  readonly context: Context;
}

/** What a batch does with a picture wherever it is edited. */
interface Steps<B extends FarmBatch> {
  expectPlace(batch: B, entry: BatchEntry, digest: string): Promise<'kept' | 'free'>;
  openSource(batch: B, one: { readonly entry: BatchEntry; readonly bytes: Uint8Array }): Promise<OpenSource>;
}

/** The same batch on other machines: results are saved here as they come, under the same names. */
export async function* runOnFarm<B extends FarmBatch>(
  batch: B,
  entries: readonly BatchEntry[],
  steps: Steps<B>,
): AsyncGenerator<BatchChange, void> {
  const { context, values, ledger } = batch;
  const farm = await (await context.service()).farm();
  const sources = new Map<string, string>();
  const common = await commonOf(batch);
  const orders = entries.map((entry): FarmEntry => ({
    ...entry,
    packs: [batch.wish.pack ?? DEFAULT_PACK, batch.control?.settings.estimator].filter((name) => name !== undefined),
    fingerprint: async () => digestOf([common, sha256(await readPictureFile(entry.source, basename(entry.source)))]),
    open: async () => {
      const bytes = await readPictureFile(entry.source, basename(entry.source));
      const digest = sha256(bytes);
      if ((await steps.expectPlace(batch, entry, digest)) === 'kept') return 'kept';
      const { request, close } = await steps.openSource(batch, { entry, bytes });
      sources.set(entry.output, digest);
      await ledger.note(entry.output, 'begun', digest);
      return { request: parseInput(EditRequest, request), close };
    },
  }));
  const events = farm.run(orders, { signal: context.signal, ...(values.detach === true && { detach: true }) });
  const save: Save = async (entry, pictures) => {
    await savePictures(farm, pictures, join(batch.folder, entry.output));
    await ledger.note(entry.output, 'done', sources.get(entry.output) ?? '');
  };
  yield* followEvents(events, context, save);
}

type Save = (entry: BatchEntry, pictures: readonly string[]) => Promise<void>;

/** The changes of a batch whose results are saved as they come. Throws CancelledError where it was left or cancelled. */
export async function* followEvents(
  events: AsyncGenerator<FarmEvent, void>,
  context: Context,
  save: Save,
): AsyncGenerator<BatchChange, void> {
  let batch = '';
  try {
    for await (const said of events) {
      const event = expectGoing(said);
      if (event.type === 'batch') {
        batch = event.batch;
        context.log(`batch ${batch}`);
      } else yield { index: event.index, entry: await saved(event, save) };
    }
  } catch (error) {
    if (error instanceof CancelledError && context.signal.aborted && batch !== '')
      context.log(`The farm goes on with ${batch}: "scalebrush farm cancel" stops it, "scalebrush farm fetch" gets its results.`);
    throw error;
  }
}

async function saved({ entry, pictures }: Extract<FarmEvent, { type: 'change' }>, save: Save): Promise<BatchEntry> {
  if (entry.state !== 'done' || !pictures) return entry;
  try {
    await save(entry, pictures);
    return entry;
  } catch (error) {
    return { ...entry, state: 'refused', error: toErrorData(error) };
  }
}

export async function savePictures(farm: Farm, pictures: readonly string[], output: string): Promise<void> {
  for (const [index, id] of pictures.entries()) await saveFile(numberedName(output, index, pictures.length), await farm.picture(id));
}

/** What all pictures of the batch have in common. */
async function commonOf({ context, wish, control, framing, shared, values }: FarmBatch): Promise<string> {
  const { pictures } = await context.service();
  const held = [shared.mask, shared.map].map(async (picture) => (picture ? sha256((await pictures.get(picture.id)).bytes) : null));
  return canonicalJson([wish, control, values.format, await Promise.all(held), ...(framing ? [framing] : [])]);
}
