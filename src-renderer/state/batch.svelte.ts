import { isPictureName, planBatch, reportOf, runBatch, type BatchEntry, type BatchReport } from '#contract/batch.js';
import { CancelledError, ExpectedError, fromErrorData } from '#contract/errors.js';
import type { EditRequestInput, PictureId } from '#contract/request.js';
import type { PictureInfo } from '#contract/api.js';
import { requestOf, verbOf, type Settings } from '#document/request.js';
import type { Link } from '#link/http.js';
import { Pictures, type SavedFile } from './pictures.js';
import { zipOf } from './zip.js';

/** What a batch takes of the studio: the wish as the panels hold it. */
export interface BatchWish {
  readonly settings: Settings;
  /** The pack only draws: a picture is drawn anew in the place of each. */
  readonly draws: boolean;
}

interface Outcome {
  readonly picture: PictureId;
  readonly changedMask: PictureId | undefined;
  readonly ms: number;
}

/** Many pictures, one wish: the window's end of what `scalebrush batch` does. */
export class Batch {
  entries = $state.raw<readonly BatchEntry[]>([]);
  running = $state(false);
  /** The picture at work is finished, then there is a rest. */
  pausing = $state(false);

  readonly report: BatchReport = $derived(reportOf(this.entries));
  readonly begun = $derived(this.report.waiting < this.entries.length);
  readonly finished = $derived(this.entries.length > 0 && this.report.waiting === 0);

  readonly #link: Link;
  readonly #pictures: Pictures;
  readonly #current: () => BatchWish;
  #files: readonly File[] = [];
  #results: readonly SavedFile[] = [];
  /** All files of one batch get the same, whatever the panels say later. */
  #wish: BatchWish | undefined;
  #running: AbortController | undefined;

  constructor(link: Link, current: () => BatchWish) {
    this.#link = link;
    this.#pictures = new Pictures(link);
    this.#current = current;
  }

  /** What will be done to each picture: that which was begun with, else what the panels say. */
  get wish(): BatchWish {
    return this.#wish ?? this.#current();
  }

  get canStart(): boolean {
    const { settings, draws } = this.wish;
    const needsWords = ['edit', 'generate'].includes(verbOf(settings, { masked: false, anew: draws }));
    return !this.running && this.report.waiting > 0 && (!needsWords || settings.instruction.trim() !== '');
  }

  /** Takes the pictures among the files, in the order of the command line. */
  choose(files: readonly File[]): void {
    if (this.running) return;
    this.#files = files.filter(isWanted).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#results = [];
    this.#wish = undefined;
    this.entries = planBatch(this.#files.map(({ name }) => name)).map((plan) => ({ ...plan, state: 'waiting' }));
  }

  /** Does what is still waiting; ends when nothing is, or when it is paused or cancelled. */
  async start(): Promise<void> {
    if (!this.canStart) return;
    this.#wish = this.wish;
    const controller = new AbortController();
    this.#running = controller;
    this.running = true;
    try {
      for await (const { index, entry } of runBatch(this.entries, (each) => this.#one(each, controller.signal))) {
        this.entries = this.entries.with(index, entry);
        if (this.pausing && entry.state !== 'running') break;
      }
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
    } finally {
      this.running = false;
      this.pausing = false;
      this.#running = undefined;
    }
  }

  pause(): void {
    this.pausing = this.running;
  }

  /** The picture at work waits again; what is done stays. */
  cancel(): void {
    this.#running?.abort();
  }

  resultOf({ output }: BatchEntry): SavedFile | undefined {
    return this.#results.find(({ name }) => name === output);
  }

  async zip(): Promise<SavedFile> {
    return { file: await zipOf(this.#results), name: 'scalebrush-batch.zip' };
  }

  async #one(entry: BatchEntry, signal: AbortSignal): Promise<Pick<BatchEntry, 'state' | 'ms'>> {
    const file = this.#files.find(({ name }) => name === entry.source);
    if (!file) throw new ExpectedError('image.unreadable', `Expected a file for ${entry.source} but it is gone.`);
    const source = await this.#pictures.upload(file, file.name);
    let outcome: Outcome | undefined;
    try {
      outcome = await this.#run(this.#requestFor(entry, source), signal);
      this.#results = [...this.#results, { file: await this.#link.download(outcome.picture), name: entry.output }];
      return { state: 'done', ms: outcome.ms };
    } finally {
      this.#pictures.forget(source.id, outcome?.picture, outcome?.changedMask);
    }
  }

  #requestFor({ format }: BatchEntry, { id, size }: PictureInfo): EditRequestInput {
    const { settings, draws } = this.wish;
    const pictures = { source: id, mask: undefined, ...(draws && { anew: { size, blank: false } }) };
    return { ...requestOf({ ...settings, count: 1 }, pictures), previews: false, output: { format, recipe: true } };
  }

  async #run(request: EditRequestInput, signal: AbortSignal): Promise<Outcome> {
    let made: Omit<Outcome, 'ms'> | undefined;
    for await (const event of this.#link.stream('edit.run', request, signal)) {
      if (event.type === 'candidate') made = { picture: event.candidate.picture, changedMask: event.candidate.changedMask };
      else if (event.type === 'failed') throw fromErrorData(event.error);
      else if (event.type === 'cancelled') throw new CancelledError('Cancelled.');
      else if (event.type === 'done' && made) return { ...made, ms: event.timingsMs.total };
    }
    throw new ExpectedError('service.unreachable', 'The run ended without a result.');
  }
}

/** Of a folder, what lies in it itself: as the command line takes it. */
function isWanted({ name, webkitRelativePath }: File): boolean {
  return isPictureName(name) && webkitRelativePath.split('/').length <= 2;
}
