import { CancelledError, ExpectedError, fromErrorData, toErrorData, type ErrorData } from '#contract/errors.js';
import type { Candidate, EditEvent, Notice } from '#contract/event.js';
import type { Margins, OutputFormat, PictureId } from '#contract/request.js';
import { renderSampleScene, type SampleScene } from '#canvas/sample-scenes.js';
import { EMPTY_MASK, type MaskHistory, type MaskStep, type Stroke } from '#document/mask.js';
import { DEFAULT_SETTINGS, requestOf, verbOf, type Settings, type Verb } from '#document/request.js';
import { NO_MARGINS, spaceOf, type Space } from '#document/space.js';
import type { Link } from '#link/http.js';
import { Advice } from './advice.svelte.js';
import { Checkpoint } from './checkpoint.svelte.js';
import { Mask } from './mask.svelte.js';
import { Pictures, type ShownPicture } from './pictures.js';
import { releasePreviews, ScaleStrip, type StripContents } from './scale-strip.svelte.js';

export type Phase = 'empty' | 'ready' | 'running' | 'done' | 'failed';

export interface ShownResult extends ShownPicture {
  readonly candidate: Candidate<PictureId>;
  /** The border that it has beyond the source. */
  readonly margins: Margins;
  readonly totalMs: number;
}

/** A picture with the mask on it: what undoing a kept result returns to. */
interface Sheet {
  readonly picture: ShownPicture;
  readonly mask: MaskHistory;
}

interface Running {
  readonly controller: AbortController;
  readonly margins: Margins;
  /** What the strip showed, in case the run comes to nothing. */
  readonly strip: StripContents;
  readonly ended: Promise<void>;
}

/** What the studio knows and does; holds no element and draws nothing. */
export class Studio {
  phase = $state<Phase>('empty');
  source = $state.raw<ShownPicture>();
  result = $state.raw<ShownResult>();
  settings = $state.raw<Settings>(DEFAULT_SETTINGS);
  error = $state.raw<ErrorData>();
  notices = $state.raw<readonly Notice[]>([]);
  /** Shows the original in place of the result. */
  comparing = $state(false);
  /** A file is on its way in. */
  opening = $state(false);
  readonly strip = new ScaleStrip();
  readonly mask = new Mask();
  readonly advice: Advice;
  readonly checkpoint: Checkpoint;

  #running = $state.raw<Running>();
  #past = $state.raw<readonly Sheet[]>([]);
  #future = $state.raw<readonly Sheet[]>([]);

  readonly verb: Verb = $derived(verbOf(this.settings, this.mask.painted));
  /** Pixels of the result that is shown or to come, and where the source lies in them. */
  readonly space: Space | undefined = $derived(this.source && spaceOf(this.source.info.size, this.#margins));
  readonly shown: ShownPicture | undefined = $derived(
    this.phase === 'running' || this.comparing ? this.source : (this.result ?? this.source),
  );
  readonly canPaint = $derived(this.source !== undefined && this.result === undefined && this.phase !== 'running');
  readonly canRun = $derived(
    this.source !== undefined && this.phase !== 'running' && (this.verb !== 'edit' || this.settings.instruction.trim() !== ''),
  );
  readonly canUndo = $derived(this.phase !== 'running' && (this.result !== undefined || this.mask.canUndo || this.#past.length > 0));
  readonly canRedo = $derived(this.canPaint && (this.mask.canRedo || this.#future.length > 0));

  readonly #pictures: Pictures;
  readonly #link: Link;
  #openings = 0;

  constructor(link: Link) {
    this.#link = link;
    this.#pictures = new Pictures(link);
    this.advice = new Advice(link);
    this.checkpoint = new Checkpoint(link);
  }

  get #margins(): Margins {
    return this.#running?.margins ?? this.result?.margins ?? this.settings.margins;
  }

  /** Asks the service what there is. */
  async begin(): Promise<void> {
    await this.#attempt(async () => {
      await this.advice.load(this.settings.pack);
      this.#emptyStrip();
    });
  }

  change(change: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...change };
    if (this.settings.pack !== before.pack) void this.#usePack();
    else if (this.settings.instruction !== before.instruction) this.#readInstruction();
    this.#expectRun();
  }

  async openFile(file: Blob, name: string): Promise<void> {
    this.#openings += 1;
    const turn = this.#openings;
    this.opening = true;
    await this.#attempt(async () => {
      const picture = await this.#pictures.open(file, name);
      // A later file was chosen while this one was on its way.
      if (turn !== this.#openings) {
        this.#drop(picture);
        return;
      }
      await this.#stop();
      this.#forgetAll();
      this.#lay({ picture, mask: EMPTY_MASK });
      this.notices = picture.info.notices;
    });
    if (turn === this.#openings) this.opening = false;
  }

  /** Whether there is a new pack; it is the chosen one from now on. */
  async importCheckpoint(): Promise<boolean> {
    const pack = await this.checkpoint.import();
    if (!pack) return false;
    await this.#attempt(() => this.advice.load(pack.name));
    this.change({ pack: pack.name });
    return true;
  }

  async openScene(scene: SampleScene, name: string): Promise<void> {
    await this.openFile(await renderSampleScene(scene), `${name}.png`);
  }

  /** Takes a stroke whose paint is already on the mask's layer. */
  addStroke(stroke: Stroke): void {
    this.mask.addPainted({ kind: 'stroke', stroke });
    this.#dropFuture();
  }

  changeMask(kind: Exclude<MaskStep['kind'], 'stroke'>): void {
    this.mask.add({ kind });
    this.#dropFuture();
  }

  undo(): void {
    if (this.result) this.discard();
    else if (this.mask.canUndo) this.mask.undo();
    else this.#turnBack();
  }

  redo(): void {
    const [next, ...later] = this.#future;
    if (this.mask.canRedo) this.mask.redo();
    else if (next) {
      this.#past = [...this.#past, this.#sheet()];
      this.#future = later;
      this.#lay(next);
    }
  }

  async run(): Promise<void> {
    if (!this.canRun || !this.source) return;
    const controller = new AbortController();
    let finish = (): void => undefined;
    const ended = new Promise<void>((resolve) => (finish = resolve));
    const margins = this.verb === 'expand' ? this.settings.margins : NO_MARGINS;
    const running: Running = { controller, margins, strip: this.strip.contents, ended };
    this.#running = running;
    this.phase = 'running';
    this.error = undefined;
    this.comparing = false;
    try {
      await this.#follow(running, this.source.info.id);
    } catch (error) {
      this.#comeToNothing(running, error);
    } finally {
      this.#running = undefined;
      finish();
    }
  }

  cancel(): void {
    this.#running?.controller.abort();
  }

  /** The result becomes the picture to go on from. */
  keep(): void {
    const { result } = this;
    if (!result || this.phase === 'running') return;
    this.#past = [...this.#past, this.#sheet()];
    this.#dropFuture();
    this.result = undefined;
    this.#pictures.forget(result.candidate.changedMask);
    this.settings = { ...this.settings, margins: NO_MARGINS };
    this.#lay({ picture: { info: result.info, bitmap: result.bitmap }, mask: EMPTY_MASK });
  }

  discard(): void {
    if (!this.result || this.phase === 'running') return;
    this.#dropResult();
    this.#emptyStrip();
    this.error = undefined;
    this.phase = 'ready';
  }

  dismiss(): void {
    this.error = undefined;
    if (this.phase === 'failed') this.phase = this.result ? 'done' : 'ready';
  }

  /** The picture that is shown, as a file; undefined where that failed, which is then said. */
  async save(format: OutputFormat, quality: number): Promise<{ readonly file: Blob; readonly name: string } | undefined> {
    const shown = this.result ?? this.source;
    let saved: Awaited<ReturnType<Pictures['export']>> | undefined;
    await this.#attempt(async () => {
      if (shown) saved = await this.#pictures.export(shown.info, format, quality);
    });
    return saved;
  }

  async #follow(running: Running, source: PictureId): Promise<void> {
    const { signal } = running.controller;
    const mask = await this.#uploadMask();
    let candidate: Candidate<PictureId> | undefined;
    try {
      for await (const event of this.#link.stream('edit.run', requestOf(this.settings, { source, mask }), signal)) {
        if (event.type === 'candidate') candidate = event.candidate;
        else if (event.type === 'done') {
          await this.#finish(running, candidate, event.timingsMs.total);
          return;
        } else await this.#take(event);
      }
    } finally {
      this.#pictures.forget(mask);
    }
    throw new ExpectedError('service.unreachable', 'The run ended without a result.');
  }

  async #uploadMask(): Promise<PictureId | undefined> {
    if (!this.mask.painted || !this.mask.layer || this.verb === 'expand') return undefined;
    const { id } = await this.#pictures.upload(await this.mask.layer.toPng(), 'mask.png');
    return id;
  }

  async #take(event: Exclude<EditEvent, { type: 'candidate' | 'done' }>): Promise<void> {
    switch (event.type) {
      case 'started':
        this.notices = event.plan.notices;
        this.strip.begin(event.plan);
        break;
      case 'scale':
        this.strip.reach(event);
        break;
      case 'preview':
        this.strip.fill(event.scale, await this.#pictures.preview(event.picture));
        break;
      case 'failed':
        throw fromErrorData(event.error);
      case 'cancelled':
        throw new CancelledError('Cancelled.');
    }
  }

  async #finish(running: Running, candidate: Candidate<PictureId> | undefined, totalMs: number): Promise<void> {
    if (!candidate) throw new ExpectedError('service.unreachable', 'The run ended without a result.');
    const picture = await this.#pictures.show(candidate.picture);
    this.#dropResult();
    releasePreviews(running.strip);
    this.result = { ...picture, candidate, margins: running.margins, totalMs };
    this.phase = 'done';
    this.#expectRun();
  }

  /** Everything is as it was before the run; what is no cancellation is said. */
  #comeToNothing({ strip, controller }: Running, error: unknown): void {
    if (this.strip.contents !== strip) this.strip.restore(strip);
    const cancelled = error instanceof CancelledError || controller.signal.aborted;
    if (!cancelled) this.error = toErrorData(error);
    if (cancelled) this.phase = this.result ? 'done' : 'ready';
    else this.phase = 'failed';
  }

  async #stop(): Promise<void> {
    const ended = this.#running?.ended;
    this.cancel();
    await ended;
  }

  /** Puts a picture with its mask on the table. */
  #lay({ picture, mask }: Sheet): void {
    this.source = picture;
    this.comparing = false;
    this.mask.begin(picture.info.size, mask);
    this.#emptyStrip();
    // What it said of the picture that was here is not true of this one.
    this.error = undefined;
    this.phase = 'ready';
    this.#expectRun();
  }

  #sheet(): Sheet {
    if (!this.source) throw new Error('Expected an open picture.');
    return { picture: this.source, mask: this.mask.history };
  }

  #turnBack(): void {
    const earlier = this.#past.at(-1);
    if (!earlier) return;
    this.#future = [this.#sheet(), ...this.#future];
    this.#past = this.#past.slice(0, -1);
    this.#lay(earlier);
  }

  #emptyStrip(): void {
    this.strip.empty(this.advice.pack?.card.config.transformer.scales ?? []);
  }

  async #usePack(): Promise<void> {
    await this.#attempt(async () => {
      await this.advice.usePack(this.settings.pack);
      this.#readInstruction();
      if (this.canPaint) this.#emptyStrip();
    });
  }

  #readInstruction(): void {
    this.advice.readInstruction(this.settings.pack, this.settings.instruction);
  }

  #expectRun(): void {
    if (this.source) this.advice.expectRun(requestOf(this.settings, { source: this.source.info.id, mask: undefined }));
  }

  #dropResult(): void {
    if (!this.result) return;
    this.#drop(this.result);
    this.#pictures.forget(this.result.candidate.changedMask);
    this.result = undefined;
    this.comparing = false;
  }

  #dropFuture(): void {
    for (const { picture } of this.#future) this.#drop(picture);
    this.#future = [];
  }

  #forgetAll(): void {
    this.#dropResult();
    this.#dropFuture();
    for (const { picture } of this.#past) this.#drop(picture);
    this.#past = [];
    if (this.source) this.#drop(this.source);
  }

  #drop({ info, bitmap }: ShownPicture): void {
    bitmap.close();
    this.#pictures.forget(info.id);
  }

  /** What fails is said; everything stays as it was. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.error = toErrorData(error);
    }
  }
}
