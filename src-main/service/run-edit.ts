import { splitName } from '#base/file-name.js';
import { endingOf } from '#contract/ending.js';
import { CancelledError } from '#contract/errors.js';
import type { Candidate, EditEvent } from '#contract/event.js';
import type { OutputFormat, PictureId } from '#contract/request.js';
import type { Engine, EngineEvent, EngineJob } from '#engine/door/engine.js';
import { following, type Signal } from '#jobs/follow.js';
import type { JobQueue } from '#jobs/queue.js';
import type { PictureStore } from './pictures.js';

/** An event as hosts see it; `logits` only for those that asked with a probe. */
export type ProbedEvent = EditEvent | Extract<EngineEvent, { type: 'logits' }>;

/** Where the pictures of a run lie: any place that keeps and gives them. */
type PicturePlace = Pick<PictureStore, 'keep'> & { file(id: PictureId): { readonly name: string } };

interface RunParts {
  readonly engine: Pick<Engine, 'run'>;
  readonly queue: JobQueue;
  readonly pictures: PicturePlace;
}

/** One job through the queue. Ends with done, failed or cancelled; leaving the loop early cancels the job. */
export async function* runEdit(parts: RunParts, job: EngineJob, signal: Signal | undefined): AsyncGenerator<ProbedEvent, void> {
  const wanted = following(signal);
  const events = parts.queue.enqueue((cancellation) => parts.engine.run(job, cancellation), {
    priority: 'interactive',
    signal: wanted.signal,
  });
  const naming = namesFor(parts.pictures, job);
  let ended = false;
  try {
    for await (const event of events) {
      ended = ended || isLast(event);
      yield await storePictures(parts.pictures, naming, event);
    }
    if (!ended) throw new CancelledError('The queue dropped the job.');
  } catch (error) {
    yield endingOf(error, wanted.signal);
  } finally {
    wanted.abort();
  }
}

function isLast({ type }: EngineEvent): boolean {
  return type === 'done' || type === 'failed' || type === 'cancelled';
}

interface Naming {
  readonly stem: string;
  readonly format: OutputFormat;
}

function namesFor(pictures: PicturePlace, { request }: EngineJob): Naming {
  const source = request.source === undefined ? 'picture.png' : pictures.file(request.source).name;
  return { stem: `${splitName(source).stem}-${request.task}`, format: request.output.format };
}

async function storePictures(pictures: PicturePlace, naming: Naming, event: EngineEvent): Promise<ProbedEvent> {
  if (event.type === 'candidate') return { type: 'candidate', candidate: await storeCandidate(pictures, naming, event.candidate) };
  if (event.type === 'preview') return { ...event, picture: await keepPreview(pictures, naming, event) };
  if (event.type !== 'detail') return event;
  const { picture, ...reached } = event;
  return { ...reached, ...(picture && { picture: await keepPreview(pictures, naming, { ...event, picture }) }) };
}

interface Preview {
  readonly type: 'preview' | 'detail';
  readonly scale: number;
  readonly picture: Uint8Array;
}

function keepPreview(pictures: PicturePlace, { stem }: Naming, { type, scale, picture }: Preview): Promise<PictureId> {
  const name = `${stem}-${type === 'detail' ? 'detail' : 'scale'}-${String(scale)}.png`;
  return pictures.keep({ bytes: picture, name, format: 'png', lifetime: 'passing' });
}

async function storeCandidate(
  pictures: PicturePlace,
  { stem, format }: Naming,
  candidate: Candidate<Uint8Array>,
): Promise<Candidate<PictureId>> {
  const { picture, changedMask, ...rest } = candidate;
  const numbered = `${stem}-${String(candidate.index + 1)}`;
  const id = await pictures.keep({ bytes: picture, name: `${numbered}.${format}`, format, lifetime: 'kept' });
  if (changedMask === undefined) return { ...rest, picture: id };
  const maskFormat = isPng(changedMask) ? 'png' : format;
  const mask = await pictures.keep({ bytes: changedMask, name: `${numbered}-changed.${maskFormat}`, format: maskFormat, lifetime: 'kept' });
  return { ...rest, picture: id, changedMask: mask };
}

function isPng(bytes: Uint8Array): boolean {
  return bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47;
}
