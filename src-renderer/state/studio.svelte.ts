import type { Project, ProjectInput } from '#contract/project.js';
import { CancelledError, toErrorData, type ErrorData } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { firstScales, type Margins, type PictureId } from '#contract/request.js';
import { renderBlank } from '#canvas/blank.js';
import { renderSampleScene, type SampleScene } from '#canvas/sample-scenes.js';
import { DEFAULT_SETTINGS, requestOf, verbOf, type Settings, type Verb } from '#document/request.js';
import { NO_MARGINS, spaceOf, type Space } from '#document/space.js';
import type { Link } from '#link/http.js';
import { Advice } from './advice.svelte.js';
import { Checkpoint } from './checkpoint.svelte.js';
import { Document, newSheet } from './document.svelte.js';
import { Exporter } from './exporter.js';
import { Journal } from './journal.js';
import { MapPreview } from './map-preview.svelte.js';
import type { Mask } from './mask.svelte.js';
import { Pictures, type ShownPicture } from './pictures.js';
import { isProjectName, projectOf, tableOf } from './project.js';
import { recalled } from './recalled.js';
import { followRun } from './run.js';
import { releasePreviews, ScaleStrip } from './scale-strip.svelte.js';
import type { Detour, Look, Phase, Running, ShownResult } from './sheets.js';
import { StepEditor } from './step-editor.svelte.js';
import { Wish } from './wish.svelte.js';

export type { ShownPicture, ShownResult };

/** Smaller sheets are too small to paint on; what small packs draw is enlarged. */
const LEAST_BLANK = 512;

/** What the studio knows and does; holds no element and draws nothing. */
export class Studio {
  phase = $state<Phase>('empty');
  /** The candidates of the last run, and which of them is shown. */
  results = $state.raw<readonly ShownResult[]>([]);
  chosen = $state(0);
  look = $state<Look>('result');
  /** The scale of the strip that was picked, 1-based: where to stop or to branch off. */
  picked = $state<number>();
  error = $state.raw<ErrorData>();
  notices = $state.raw<readonly Notice[]>([]);
  /** Shows the original in place of the result. */
  comparing = $state(false);
  /** A file is on its way in. */
  opening = $state(false);
  readonly strip = new ScaleStrip();
  readonly document: Document;
  readonly mask: Mask;
  readonly stepEditor: StepEditor;
  readonly exporter: Exporter;
  readonly advice: Advice;
  readonly checkpoint: Checkpoint;
  readonly map: MapPreview;
  readonly wish: Wish;

  #running = $state.raw<Running>();

  readonly result: ShownResult | undefined = $derived(this.results[this.chosen]);
  /** A picture is drawn in the place of what is there. */
  readonly anew = $derived.by(() => this.blank || this.advice.draws);
  readonly verb: Verb = $derived.by(() => verbOf(this.settings, { masked: this.mask.painted, anew: this.anew }));
  /** Pixels of the result that is shown or to come, and where the source lies in them. */
  readonly space: Space | undefined = $derived(this.source && spaceOf(this.source.info.size, this.#margins));
  readonly shown: ShownPicture | undefined = $derived(
    this.phase === 'running' || this.comparing ? this.source : (this.result ?? this.source),
  );
  /** How many scales the result has. */
  readonly reachedScale = $derived(this.result?.candidate.tokens.tokens.length ?? 0);
  readonly unfinished = $derived(this.result !== undefined && this.reachedScale < this.result.candidate.tokens.schedule.length);
  /** All of it as a document; undefined while there is none. */
  readonly project: ProjectInput | undefined = $derived.by(() => {
    const { settings, results, chosen } = this;
    const { steps, history } = this.document;
    const { done, undone } = history;
    return this.source && projectOf({ ...steps, settings, results, chosen, done, undone, replacing: this.stepEditor.replacing });
  });
  readonly canPaint = $derived.by(
    () => this.source !== undefined && this.result === undefined && this.phase !== 'running' && !this.stepEditor.busy,
  );
  readonly canRun = $derived(
    this.source !== undefined &&
      this.phase !== 'running' &&
      ((this.verb !== 'edit' && this.verb !== 'generate') || this.settings.instruction.trim() !== ''),
  );
  readonly canUndo = $derived.by(
    () =>
      this.phase !== 'running' &&
      !this.stepEditor.busy &&
      (this.result !== undefined || this.wish.isChanging || this.mask.canUndo || this.document.canUndo),
  );
  readonly canRedo = $derived.by(
    () => (this.canPaint && (this.mask.canRedo || this.document.canRedo)) || (this.phase === 'done' && this.document.canRedoChange),
  );

  readonly #pictures: Pictures;
  readonly #link: Link;
  readonly #journal: Journal;
  #openings = 0;
  /** How many changes the open step had when the last run began. */
  #changesAtRun = 0;

  /** `owner` names this window in the journal; without it nothing is kept there. */
  constructor(link: Link, owner?: Promise<string> | string) {
    this.#journal = new Journal(link, owner);
    this.#link = link;
    this.#pictures = new Pictures(link);
    this.advice = new Advice(link);
    this.checkpoint = new Checkpoint(link);
    this.map = new MapPreview(link);
    this.document = new Document(this.#pictures, {
      onstep: () => {
        // What is behind an earlier step does not follow from a changed one; a step that is replaced takes it along.
        if (this.stepEditor.replacing === undefined) this.document.dropFuture();
      },
      onturn: (change, side) => {
        this.wish.turn(change, side);
      },
    });
    this.wish = new Wish(this, this.#pictures);
    this.mask = this.document.mask;
    this.exporter = new Exporter(this, { link, pictures: this.#pictures });
    this.stepEditor = new StepEditor(this, { link, pictures: this.#pictures });
  }

  get settings(): Settings {
    return this.wish.settings;
  }

  get source(): ShownPicture | undefined {
    return this.document.source;
  }

  /** The open picture is an empty sheet. */
  get blank(): boolean {
    return this.document.blank;
  }

  get #margins(): Margins {
    return this.#running?.margins ?? this.result?.margins ?? this.settings.margins;
  }

  /** Asks the service what there is. */
  async begin(): Promise<void> {
    await this.attempt(async () => {
      await this.advice.load(this.settings.pack);
      this.#emptyStrip();
      const project = await this.#journal.recover();
      if (!project || this.source || this.opening) return;
      await this.#restore(project);
      this.notices = [{ code: 'project.recovered', message: 'This is where you left off.' }];
    });
  }

  /** Keeps what is on the table in the journal; to be called whenever it has changed. */
  keepJournal(): void {
    this.#journal.note(this.project);
  }

  /** Takes everything off the table. */
  async close(): Promise<void> {
    this.#openings += 1;
    await this.#stop();
    this.#forgetAll();
    this.mask.end();
    this.#emptyStrip();
    this.notices = [];
    this.error = undefined;
    this.phase = 'empty';
  }

  change(change: Partial<Settings>): void {
    this.wish.change(change);
  }

  async openFile(file: Blob, name: string, blank = false): Promise<void> {
    this.#openings += 1;
    const turn = this.#openings;
    this.opening = true;
    await this.attempt(async () => {
      if (isProjectName(name)) {
        await this.#restore(await this.#link.openProject(file));
        return;
      }
      const picture = await this.#pictures.open(file, name);
      const { settings, notices } = await recalled(this.settings, picture.info, this.#link);
      // A later file was chosen while this one was on its way.
      if (turn !== this.#openings) {
        this.#drop(picture);
        return;
      }
      await this.#stop();
      this.#forgetAll();
      this.document.open(newSheet(picture, blank));
      this.showStep();
      this.wish.take(settings);
      this.notices = notices;
    });
    if (turn === this.#openings) this.opening = false;
  }

  /** Whether there is a new pack; one that draws is the chosen one from now on. */
  async importCheckpoint(): Promise<boolean> {
    const pack = await this.checkpoint.import();
    if (!pack) return false;
    const draws = pack.family !== 'depth';
    await this.attempt(() => this.advice.load(draws ? pack.name : this.settings.pack));
    if (!draws) return true;
    this.change({ pack: pack.name });
    return true;
  }

  async openScene(scene: SampleScene, name: string): Promise<void> {
    await this.openFile(await renderSampleScene(scene), `${name}.png`);
  }

  /** An empty sheet of the pack's own size at least, to be drawn on from words. */
  async openBlank(name: string): Promise<void> {
    await this.openFile(await renderBlank(Math.max(LEAST_BLANK, this.advice.pack?.card.imageSize ?? 0)), name, true);
  }

  /** Adds a mask from a file; what had to be guessed of it is said. */
  async openMask(file: Blob): Promise<void> {
    const { source } = this;
    if (!source) return;
    await this.attempt(async () => {
      const { values, notices } = await this.#pictures.readMask(file, source.info.size);
      if (source !== this.source) return;
      this.mask.addValues(values);
      this.notices = notices;
    });
  }

  undo(): void {
    if (!this.canUndo) return;
    this.wish.settle();
    // What was changed since the run is taken back before its result is.
    if (this.result && this.document.changes.length <= this.#changesAtRun) this.discard();
    else if (this.document.undo()) this.#turned();
  }

  redo(): void {
    this.wish.settle();
    if (!this.canRedo) return;
    if (this.result) this.document.redoChange();
    else if (this.document.redo()) this.#turned();
  }

  /** Lays another of the kept pictures on the table; none is lost. */
  goTo(step: number): void {
    if (!this.canPaint || step < 0 || step >= this.document.sheets.length) return;
    this.wish.settle();
    this.document.place({ sheets: this.document.sheets, open: step });
    this.#turned();
  }

  async run(detour: Detour = {}): Promise<void> {
    if (!this.canRun || !this.source) return;
    this.wish.settle();
    this.wish.remember();
    this.#changesAtRun = this.document.changes.length;
    const controller = new AbortController();
    let finish = (): void => undefined;
    const ended = new Promise<void>((resolve) => (finish = resolve));
    const margins = this.verb === 'expand' ? this.settings.margins : NO_MARGINS;
    const { kind, map } = this.settings.control;
    const running: Running = { controller, margins, detour, strip: this.strip.contents, ended, map: kind === 'none' ? undefined : map };
    this.#running = running;
    this.phase = 'running';
    this.error = undefined;
    this.comparing = false;
    this.picked = undefined;
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

  /** Ends the run with the scales that are done: the same seed draws the same tokens again, and stops there. */
  async stopHere(): Promise<void> {
    const { reached } = this.strip;
    const detour = this.#running?.detour;
    if (!detour || reached === 0) return;
    await this.#stop();
    await this.run({ ...detour, stopAtScale: reached });
  }

  /** The result as it was at a scale. */
  async stopAt(scale: number): Promise<void> {
    await this.#goOnFrom(scale, { stopAtScale: scale });
  }

  /** The scales that a stopped result lacks. */
  async continueRun(): Promise<void> {
    await this.#goOnFrom(this.reachedScale, {});
  }

  /** Other pictures with the same coarse scales: `scale` and those behind it are drawn anew. */
  async reroll(scale: number, count: number): Promise<void> {
    const { result } = this;
    if (result) await this.#goOnFrom(scale - 1, { ...this.#another(result.candidate.seed), count });
  }

  /** Makes a step anew with the same wish and another seed. */
  async rerollStep(step: number): Promise<void> {
    await this.stepEditor.rerun(step, this.#another(this.document.sheets[step]?.recipe?.seed ?? 0));
  }

  /** Without chance there is nothing to draw anew. */
  #another(seed: number): Detour {
    const own = this.advice.pack?.card.defaults.temperature;
    return { seed: (seed + 1) >>> 0, temperature: this.settings.temperature ?? (own === 0 || own === undefined ? 1 : own) };
  }

  async #goOnFrom(scale: number, detour: Detour): Promise<void> {
    const { result } = this;
    if (!result) return;
    const { tokens, seed } = result.candidate;
    await this.run({ seed, count: 1, ...detour, resume: firstScales(tokens, scale) });
  }

  choose(candidate: number): void {
    if (this.phase !== 'running' && this.results[candidate]) this.chosen = candidate;
  }

  /** The result becomes the picture to go on from. */
  keep(): void {
    const { result } = this;
    if (!result || this.phase === 'running') return;
    const kept = this.document.stepOf(result);
    for (const other of this.results) if (other !== result) this.#dropOne(other);
    this.results = [];
    this.#pictures.forget(result.candidate.changedMask);
    this.wish.settle();
    const before = { sheets: this.document.sheets, open: this.document.step + 1 };
    this.document.follow(kept);
    this.wish.take({ margins: NO_MARGINS });
    if (this.stepEditor.replacing === before.open) this.stepEditor.replaced(before);
    else this.document.dropFuture();
    this.showStep();
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

  async #follow(running: Running, source: PictureId): Promise<void> {
    const mask = await this.#uploadMask();
    const request = { ...requestOf(this.settings, { source, mask, anew: this.wish.anew }), ...running.detour };
    const onnotices = (notices: readonly Notice[]) => (this.notices = notices);
    try {
      const results = await followRun({ link: this.#link, pictures: this.#pictures, strip: this.strip, onnotices }, request, running);
      this.#dropResult();
      releasePreviews(running.strip);
      this.results = results;
    } finally {
      this.#pictures.forget(mask);
    }
    this.chosen = 0;
    this.phase = 'done';
    this.wish.expectRun();
  }

  async #uploadMask(): Promise<PictureId | undefined> {
    if (!this.mask.painted || !this.mask.layer || this.verb === 'expand') return undefined;
    const { id } = await this.#pictures.upload(await this.mask.layer.toPng(), 'mask.png');
    return id;
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

  /** Puts a document on the table in place of what is there. */
  async #restore(project: Project): Promise<void> {
    const table = await tableOf(project, this.#pictures, DEFAULT_SETTINGS);
    await this.#stop();
    this.#forgetAll();
    const { history } = this.document;
    [history.done, history.undone] = [table.done, table.undone];
    this.document.place(table);
    this.wish.take(table.settings);
    this.#changesAtRun = this.document.changes.length;
    this.showStep();
    this.stepEditor.replacing = table.replacing;
    this.results = table.results;
    this.chosen = table.chosen;
    if (this.results.length > 0) this.phase = 'done';
  }

  /** The strip shows the scales of the pack. */
  packRead(): void {
    if (this.canPaint) this.#emptyStrip();
  }

  /** Another step was opened by undoing, redoing or going there. */
  #turned(): void {
    this.stepEditor.leave();
    this.showStep();
  }

  /** Shows the open step of the document. */
  showStep(): void {
    this.look = 'result';
    this.comparing = false;
    this.#emptyStrip();
    // What it said of the picture that was here is not true of this one.
    this.error = undefined;
    this.phase = 'ready';
    this.wish.expectRun();
  }

  #emptyStrip(): void {
    this.strip.empty(this.advice.pack?.card.config.transformer.scales ?? []);
  }

  #dropResult(): void {
    for (const result of this.results) this.#dropOne(result);
    this.results = [];
    this.chosen = 0;
    this.comparing = false;
  }

  #dropOne(result: ShownResult): void {
    this.#drop(result);
    this.#pictures.forget(result.candidate.changedMask);
  }

  #forgetAll(): void {
    this.#dropResult();
    this.stepEditor.leave();
    this.wish.settle();
    this.document.clear();
  }

  #drop({ info, bitmap }: ShownPicture): void {
    bitmap.close();
    this.#pictures.forget(info.id);
  }

  /** What fails is said, and is undefined; everything stays as it was. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.error = toErrorData(error);
      return undefined;
    }
  }
}
