import type { Adaptation } from '#contract/adaptation.js';
import { isPictureName, planBatch, reportOf, runBatch, type BatchEntry, type BatchReport } from '#contract/batch.js';
import { expectGoing } from '#contract/ending.js';
import { CancelledError, ExpectedError, throwIfCancelled, toErrorData } from '#contract/errors.js';
import type { EditRequestInput, PictureId } from '#contract/request.js';
import type { BatchId, FarmEvent, FarmProgress } from '#contract/farm.js';
import { requestOf, verbOf, type Settings } from '#document/request.js';
import type { PageLink } from '#link/http.js';
import { Pictures, type SavedFile } from './pictures.js';
import { zipOf } from './zip.js';

/** The wish as the panels hold it. */
export interface BatchWish {
  readonly settings: Settings;
  /** The pack only draws: a picture is drawn anew in the place of each. */
  readonly draws: boolean;
}

/** What a batch takes of the studio. */
export interface BatchTable extends BatchWish {
  /** What is painted; undefined where nothing is. */
  readonly mask: { toPng(): Promise<Blob> } | undefined;
}

/** Where a batch outlives the page that began it: a window's own shelf for one text. */
export interface Shelf {
  read(): Promise<string | null>;
  write(text: string | null): Promise<void>;
}

/** What all files of one batch get, whatever the panels say later. */
interface Order extends BatchWish {
  /** The mask that it is held to. */
  readonly mask: PictureId | undefined;
  /** How the results are made ready for where they will be seen. */
  readonly adapt?: Adaptation;
}

/** A batch as it lies on the shelf; pictures by the name of their result. */
interface Job {
  readonly version: 1;
  readonly order: Order;
  readonly entries: readonly BatchEntry[];
  readonly sources: Readonly<Record<string, PictureId>>;
  readonly results: Readonly<Record<string, PictureId>>;
  /** Where other machines have it. */
  readonly farm?: BatchId;
  /** And were told to leave it. */
  readonly cancelled?: true;
}

interface Outcome {
  readonly picture: PictureId;
  readonly changedMask: PictureId | undefined;
  readonly ms: number;
}

/** Many pictures, one wish: the window's end of what `scalebrush batch` does. The service holds them, so that a reload loses none. */
export class Batch {
  entries = $state.raw<readonly BatchEntry[]>([]);
  running = $state(false);
  /** Its end was looked at. */
  seen = $state(true);
  /** The picture at work is finished, then there is a rest. */
  pausing = $state(false);
  /** The files are held to what is painted. */
  holds = $state(false);
  /** How the results are made ready for where they will be seen; an order that was begun keeps its own. */
  adapt = $state.raw<Adaptation>({});
  /** How many files have been brought to the service, while that goes on. */
  takenIn = $state<number>();
  /** It was cut off by a reload, and can be gone on with. */
  cutOff = $state(false);
  /** The farm that is set, as it may be shown; null = there is only this machine. */
  farmAddress = $state<string | null>(null);
  /** Why the farm that is set cannot be used. */
  farmProblem = $state<string>();
  /** Other machines are to do it. */
  onFarm = $state(false);
  /** How far the pictures at work are, by the name of their result. */
  progress = $state.raw<Readonly<Record<string, FarmProgress>>>({});

  readonly report: BatchReport = $derived(reportOf(this.entries));
  readonly begun = $derived(this.report.waiting < this.entries.length);
  readonly finished = $derived(this.entries.length > 0 && this.report.waiting === 0);

  readonly #link: PageLink;
  readonly #pictures: Pictures;
  readonly #current: () => BatchTable;
  readonly #shelf: Shelf;
  #files: readonly File[] = [];
  #sources: Readonly<Record<string, PictureId>> = {};
  #results: Readonly<Record<string, PictureId>> = {};
  #order = $state.raw<Order>();
  #farm = $state<BatchId>();
  #cancelled = false;
  #running: AbortController | undefined;

  constructor(link: PageLink, current: () => BatchTable, shelf: Shelf) {
    this.#link = link;
    this.#pictures = new Pictures(link);
    this.#current = current;
    this.#shelf = shelf;
  }

  /** What will be done to each picture: that which was begun with, else what the panels say. */
  get wish(): BatchWish {
    return this.#order ?? this.#current();
  }

  /** Whether there is a mask that it could be held to; a border is grown without one, and so is what is drawn anew. */
  get canHold(): boolean {
    const { settings, draws, mask } = this.#current();
    return !this.#order && mask !== undefined && verbOf(settings, { masked: false, anew: draws }) === 'edit';
  }

  get masked(): boolean {
    return this.#order ? this.#order.mask !== undefined : this.holds && this.canHold;
  }

  get canStart(): boolean {
    return !this.running && this.report.waiting > 0 && this.#isWhole(this.wish);
  }

  /** What the panels say now is enough for new pictures. */
  get hasWish(): boolean {
    return !this.running && this.#isWhole(this.#current());
  }

  #isWhole({ settings, draws }: BatchWish): boolean {
    const needsWords = ['edit', 'generate'].includes(verbOf(settings, { masked: this.masked, anew: draws }));
    return !needsWords || settings.instruction.trim() !== '';
  }

  /** It is the farm's, which goes on with it whether this window looks or not. */
  get isFarms(): boolean {
    return this.#farm !== undefined;
  }

  /** Looks whether there is a choice of machines. */
  async lookForFarm(): Promise<void> {
    this.farmProblem = undefined;
    try {
      this.farmAddress = (await this.#link.call('farm.status', {})).address;
    } catch (error) {
      this.farmAddress = null;
      this.farmProblem = toErrorData(error).message;
    }
    if (this.farmAddress === null && !this.isFarms) this.onFarm = false;
  }

  /** Takes the pictures among the files, in the order of the command line. */
  choose(files: readonly File[]): void {
    if (this.running) return;
    this.#pictures.forget(...Object.values(this.#sources), ...Object.values(this.#results), this.#order?.mask);
    this.#files = files.filter(isWanted).sort((a, b) => (a.name < b.name ? -1 : 1));
    [this.#sources, this.#results, this.#order, this.#farm, this.#cancelled] = [{}, {}, undefined, undefined, false];
    this.cutOff = false;
    this.entries = planBatch(this.#files.map(({ name }) => name)).map((plan) => ({ ...plan, state: 'waiting' }));
    void this.#shelf.write(null);
  }

  /** Does what is still waiting; ends when nothing is, or when it is paused or cancelled. */
  async start(): Promise<void> {
    if (!this.canStart) return;
    const controller = new AbortController();
    this.#running = controller;
    this.running = true;
    this.seen = false;
    this.cutOff = false;
    try {
      if (!this.isFarms) await this.#takeIn(controller.signal);
      if (this.onFarm && !this.pausing) await this.#onFarm(controller.signal);
      else if (!this.pausing) await this.#workOn(controller.signal);
    } catch (error) {
      if (error instanceof CancelledError) return;
      if (!this.onFarm) throw error;
      this.farmProblem = toErrorData(error).message;
    } finally {
      this.running = false;
      this.pausing = false;
      this.takenIn = undefined;
      this.#running = undefined;
    }
  }

  /** A batch that the farm has is only left: the farm goes on. */
  pause(): void {
    if (this.isFarms) this.#running?.abort();
    else this.pausing = this.running;
  }

  /** The picture at work waits again; what is done stays. */
  async cancel(): Promise<void> {
    if (this.#farm !== undefined) await this.#link.call('farm.cancel', { batch: this.#farm });
    this.#cancelled = this.#farm !== undefined;
    this.#running?.abort();
  }

  /** What the farm refused is tried again. */
  async retry(): Promise<void> {
    if (this.#farm === undefined || this.running) return;
    await this.#link.call('farm.retry', { batch: this.#farm });
    this.entries = this.entries.map(({ error, ...entry }) => (error ? { ...entry, state: 'waiting' } : entry));
    await this.start();
  }

  /** What this window had begun before it was loaded anew. Files that the service no longer holds are refused. */
  async recover(): Promise<void> {
    const job = jobIn(await this.#shelf.read());
    if (!job || this.entries.length > 0) return;
    const entries: BatchEntry[] = [];
    for (const entry of job.entries) entries.push(await this.#foundAgain(entry, job));
    [this.#sources, this.#results, this.#order, this.#farm] = [job.sources, job.results, job.order, job.farm];
    this.#cancelled = job.cancelled === true;
    this.onFarm = this.isFarms;
    this.adapt = job.order.adapt ?? {};
    this.entries = entries;
    this.cutOff = this.report.waiting > 0;
  }

  /** Where the browser itself gets a picture that is shown. */
  addressOf(id: PictureId): string {
    return this.#link.addressOf(id);
  }

  async resultOf({ output }: BatchEntry): Promise<SavedFile> {
    return { file: await this.#link.download(this.#results[output] ?? ''), name: output };
  }

  async zip(): Promise<SavedFile> {
    const results: SavedFile[] = [];
    for (const entry of this.entries) if (entry.state === 'done') results.push(await this.resultOf(entry));
    return { file: await zipOf(results), name: 'scalebrush-batch.zip' };
  }

  async #takeOrder(): Promise<Order> {
    const { settings, draws, mask } = this.#current();
    const held = this.masked && mask ? (await this.#pictures.upload(await mask.toPng(), 'mask.png')).id : undefined;
    return { settings, draws, mask: held, adapt: this.adapt };
  }

  /** Brings the files to the service: a page that is loaded anew has none of them. */
  async #takeIn(signal: AbortSignal): Promise<void> {
    for (const [index, entry] of this.entries.entries()) {
      const file = this.#files[index];
      if (this.pausing) return;
      if (entry.state !== 'waiting' || !file || this.#sources[entry.output] !== undefined) continue;
      throwIfCancelled(signal);
      this.takenIn = index;
      try {
        this.#order ??= await this.#takeOrder();
        const { id } = await this.#pictures.upload(file, file.name);
        this.#sources = { ...this.#sources, [entry.output]: id };
        this.#keep();
      } catch (error) {
        this.#note(index, { ...entry, state: 'refused', error: toErrorData(error) });
      }
    }
    this.takenIn = undefined;
  }

  async #workOn(signal: AbortSignal): Promise<void> {
    for await (const { index, entry } of runBatch(this.entries, (each) => this.#one(each, signal))) {
      this.#note(index, entry);
      if (this.pausing && entry.state !== 'running') break;
    }
  }

  /** Sends what waits, or finds again what was sent: the same list, and pictures that come as they are done. */
  async #onFarm(signal: AbortSignal): Promise<void> {
    const order = this.#farm === undefined ? { entries: await this.#farmEntries() } : { batch: this.#farm };
    if (this.#farm !== undefined && this.#cancelled) await this.#link.call('farm.retry', { batch: this.#farm });
    this.#cancelled = false;
    try {
      for await (const event of this.#link.stream('farm.run', order, signal)) this.#takeFarm(event);
    } finally {
      // Nobody looks any more.
      this.progress = {};
      this.entries = this.entries.map((entry) => (entry.state === 'running' ? { ...entry, state: 'waiting' } : entry));
      this.#keep();
    }
  }

  async #farmEntries() {
    const entries = [];
    for (const entry of this.entries) {
      const { source, output, format } = entry;
      const held = this.#sources[output];
      if (entry.state !== 'waiting' || held === undefined) continue;
      entries.push({ source, output, format, request: await this.#requestFor(entry, held) });
    }
    return entries;
  }

  #takeFarm(said: FarmEvent): void {
    // Not by this window, which only leaves it.
    this.#cancelled ||= said.type === 'cancelled' && this.#running?.signal.aborted === false;
    const event = expectGoing(said);
    if (event.type === 'batch') {
      this.#farm = event.batch;
      this.#keep();
      return;
    }
    const index = this.entries.findIndex(({ output }) => output === event.entry.output);
    if (index < 0) return;
    this.#takeChange(index, event);
  }

  #takeChange(index: number, { entry, pictures: [picture] = [], progress }: Extract<FarmEvent, { type: 'change' }>): void {
    if (picture !== undefined) this.#results = { ...this.#results, [entry.output]: picture };
    if (entry.state === 'done') this.#letGo(entry);
    if (progress) this.#reached(entry, progress);
    // Of progress alone nothing is written down.
    if (this.entries[index]?.state !== entry.state) this.#note(index, entry);
  }

  #reached({ output }: BatchEntry, progress: FarmProgress): void {
    // Until the next comes, the last preview stays.
    const picture = progress.picture ?? this.progress[output]?.picture;
    this.progress = { ...this.progress, [output]: { ...progress, ...(picture !== undefined && { picture }) } };
  }

  #note(index: number, entry: BatchEntry): void {
    this.entries = this.entries.with(index, entry);
    const { [entry.output]: reached, ...others } = this.progress;
    if (entry.state !== 'running' && reached) this.progress = others;
    this.#keep();
  }

  #keep(): void {
    if (!this.#order) return;
    const job: Job = {
      version: 1,
      order: this.#order,
      entries: this.entries,
      sources: this.#sources,
      results: this.#results,
      ...(this.#farm !== undefined && { farm: this.#farm }),
      ...(this.#cancelled && { cancelled: true }),
    };
    // A shelf that is full is no reason to stop.
    void this.#shelf.write(JSON.stringify(job)).catch(() => undefined);
  }

  async #foundAgain({ error, ...entry }: BatchEntry, { sources, results, farm }: Job): Promise<BatchEntry> {
    if (error) return { ...entry, error };
    // The farm has what it needs, and its results come again.
    if (farm !== undefined) return { ...entry, state: 'waiting' };
    const id = entry.state === 'done' ? results[entry.output] : sources[entry.output];
    const state = entry.state === 'running' ? 'waiting' : entry.state;
    try {
      await this.#link.call('picture.describe', { id: id ?? '' });
      return { ...entry, state };
    } catch {
      const gone = new ExpectedError('picture.unknown', `Expected ${entry.source} but it is no longer held; choose it again.`);
      return { ...entry, state: 'refused', error: toErrorData(gone) };
    }
  }

  async #one(entry: BatchEntry, signal: AbortSignal): Promise<Pick<BatchEntry, 'state' | 'ms'>> {
    const source = this.#sources[entry.output] ?? '';
    try {
      const { picture, changedMask, ms } = await this.#run(entry, await this.#requestFor(entry, source), signal);
      this.#results = { ...this.#results, [entry.output]: picture };
      this.#letGo(entry, changedMask);
      return { state: 'done', ms };
    } catch (error) {
      // What is cancelled waits again.
      if (!(error instanceof CancelledError)) this.#letGo(entry);
      throw error;
    }
  }

  /** Its source is not needed any more, nor is what was made beside its result. */
  #letGo({ output }: BatchEntry, beside?: PictureId): void {
    const { [output]: source, ...others } = this.#sources;
    this.#sources = others;
    this.#pictures.forget(source, beside);
  }

  async #requestFor({ format }: BatchEntry, source: PictureId): Promise<EditRequestInput> {
    const { settings, draws } = this.wish;
    const { size } = await this.#link.call('picture.describe', { id: source });
    const pictures = { source, mask: this.#order?.mask, ...(draws && { anew: { size, blank: false } }) };
    return {
      ...requestOf({ ...settings, count: 1 }, pictures),
      previews: false,
      output: { format, recipe: true, adapt: this.#order?.adapt ?? {} },
    };
  }

  async #run(entry: BatchEntry, request: EditRequestInput, signal: AbortSignal): Promise<Outcome> {
    let made: Omit<Outcome, 'ms'> | undefined;
    for await (const said of this.#link.stream('edit.run', request, signal)) {
      const event = expectGoing(said);
      if (event.type === 'scale') this.#reached(entry, { scale: event.scale, of: event.of });
      else if (event.type === 'detail') this.#reached(entry, { scale: event.scale, of: event.of, detail: true });
      else if (event.type === 'candidate') made = { picture: event.candidate.picture, changedMask: event.candidate.changedMask };
      else if (event.type === 'done' && made) return { ...made, ms: event.timingsMs.total };
    }
    throw new ExpectedError('service.unreachable', 'The run ended without a result.');
  }
}

/** Undefined where nothing lies there that we could have written. */
function jobIn(text: string | null): Job | undefined {
  try {
    const job = JSON.parse(text ?? 'null') as Partial<Job> | null;
    return job?.version === 1 ? (job as Job) : undefined;
  } catch {
    return undefined;
  }
}

/** Of a folder, what lies in it itself: as the command line takes it. */
function isWanted({ name, webkitRelativePath }: File): boolean {
  return isPictureName(name) && webkitRelativePath.split('/').length <= 2;
}
