import { drawsPictures } from '#contract/pack-card.js';
import type { ProjectInput } from '#contract/project.js';
import { toErrorData, type ErrorData } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { Margins } from '#contract/request.js';
import type { Preferences, VariantsChoice } from '#contract/preferences.js';
import { verbOf, type Settings, type Verb } from '#document/request.js';
import { NO_MARGINS, spaceOf, type Space } from '#document/space.js';
import type { PageLink } from '#link/http.js';
import { ServiceInfo } from './service-info.svelte.js';
import { Blender } from './blender.svelte.js';
import { Checkpoint } from './checkpoint.svelte.js';
import { Comparison } from './comparison.svelte.js';
import { PhotoDocument } from './photo-document.svelte.js';
import { Exporter } from './exporter.js';
import { Fader } from './fader.svelte.js';
import { Framer } from './framer.svelte.js';
import { Journal } from './journal.svelte.js';
import { MapPreview } from './map-preview.svelte.js';
import type { Mask, ObjectWish, SimilarWish } from './mask.svelte.js';
import { Opener } from './opener.svelte.js';
import { Pictures, type ShownPicture } from './pictures.js';
import { projectOf } from './project.js';
import { Recent } from './recent.svelte.js';
import { Remover } from './remover.svelte.js';
import type { QueuedRun } from './run-order.js';
import { RunQueue } from './run-queue.svelte.js';
import { Runner } from './runner.svelte.js';
import type { ScaleStrip } from './scale-strip.svelte.js';
import type { Detour, Phase, Sheet, ShownResult } from './sheets.js';
import { StepEditor } from './step-editor.svelte.js';
import { Wish } from './wish.svelte.js';

export type { ShownPicture, ShownResult };

/** What of the preferences counts for runs. */
type Liked = Readonly<Pick<Preferences, 'variants'>>;

/** What the studio knows and does; holds no element and draws nothing. */
export class Studio {
  error = $state.raw<ErrorData>();
  notices = $state.raw<readonly Notice[]>([]);
  readonly document: PhotoDocument;
  readonly runner: Runner;
  readonly comparison: Comparison;
  readonly mask: Mask;
  readonly stepEditor: StepEditor;
  readonly exporter: Exporter;
  readonly fader: Fader;
  readonly opener: Opener;
  readonly blender: Blender;
  readonly framer: Framer;
  readonly serviceInfo: ServiceInfo;
  readonly checkpoint: Checkpoint;
  readonly map: MapPreview;
  readonly wish: Wish;
  readonly recent: Recent;
  readonly remover: Remover;
  readonly queue: RunQueue;
  readonly journal: Journal;

  /** A picture is drawn in the place of what is there. */
  readonly anew = $derived.by(() => this.blank || this.serviceInfo.draws);
  readonly verb: Verb = $derived.by(() => verbOf(this.settings, { masked: this.mask.masked, anew: this.anew }));
  /** Pixels of the result that is shown or to come, and where the source lies in them. */
  readonly space: Space | undefined = $derived(this.source && spaceOf(this.source.info.size, this.#margins));
  readonly shown: ShownPicture | undefined = $derived.by(() =>
    this.phase === 'running' ? this.source : (this.comparison.shows?.picture ?? this.result ?? this.source),
  );
  /** All of it as a document; undefined while there is none. */
  readonly project: ProjectInput | undefined = $derived.by(() => {
    const { settings } = this;
    const { results, chosen } = this.runner;
    const { steps, history } = this.document;
    const { done, undone } = history;
    const { replacing } = this.stepEditor;
    const { filed } = this.exporter;
    return this.source && projectOf({ ...steps, settings, results, chosen, done, undone, replacing, waiting: this.waiting, filed });
  });
  /** Nothing waits to be kept or discarded. */
  readonly isSettled = $derived.by(() => this.canPaint && this.result === undefined);
  /** Painting on a result keeps it. */
  readonly canPaint = $derived.by(() => this.source !== undefined && this.phase !== 'running' && !this.stepEditor.busy);
  /** A place of the picture can be filled to suit what is around it. */
  readonly canFill = $derived.by(() => this.source !== undefined && !this.anew && !this.stepEditor.busy);
  /** There is a wish that can be run, if not while another is on. */
  readonly canAsk = $derived.by(
    () =>
      this.source !== undefined &&
      ((this.verb !== 'edit' && this.verb !== 'generate') || this.refining || this.settings.instruction.trim() !== ''),
  );
  /** All of the picture is drawn anew from its own first scales on. */
  readonly refining = $derived.by(
    () => this.serviceInfo.refines && this.verb === 'edit' && !this.mask.masked && this.settings.structure > 0,
  );
  readonly canRun = $derived.by(() => this.canAsk && this.phase !== 'running');
  readonly canUndo = $derived.by(
    () =>
      (this.phase === 'empty' || this.canPaint) &&
      (this.recent.last !== undefined ||
        this.result !== undefined ||
        this.runner.canRecall('hand') ||
        this.wish.isChanging ||
        this.mask.working ||
        this.mask.canUndo ||
        this.document.canUndo),
  );
  readonly canRedo = $derived.by(
    () =>
      (this.isSettled && (this.runner.canRecall('undo') || this.mask.canRedo || this.document.canRedo)) ||
      (this.phase === 'done' && this.document.canRedoChange),
  );

  readonly #pictures: Pictures;
  readonly #link: PageLink;
  readonly #liked: Liked | undefined;

  /** `owner` names this window in the journal; without it nothing is kept there. */
  constructor(link: PageLink, owner?: Promise<string> | string, liked?: Liked) {
    this.#liked = liked;
    this.journal = new Journal(link, owner, (error) => {
      // That the service is gone is said by the window itself.
      if (toErrorData(error).code !== 'service.unreachable') this.error ??= toErrorData(error);
    });
    this.#link = link;
    this.#pictures = new Pictures(link, () => this.journal.writing);
    this.serviceInfo = new ServiceInfo(link);
    this.checkpoint = new Checkpoint(link);
    this.map = new MapPreview(link);
    this.recent = new Recent(link);
    this.document = new PhotoDocument(this.#pictures, {
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
    this.runner = new Runner(this, { link, pictures: this.#pictures });
    this.queue = new RunQueue(this, () => {
      this.remover.follow();
    });
    this.remover = new Remover(this);
    this.comparison = new Comparison(this);
    this.exporter = new Exporter(this, { link, pictures: this.#pictures });
    this.stepEditor = new StepEditor(this, { link, pictures: this.#pictures });
    this.framer = new Framer(this);
    this.blender = new Blender(this, { link, pictures: this.#pictures });
    this.opener = new Opener(this, { link, pictures: this.#pictures });
    this.fader = new Fader(this, this.#pictures);
  }

  get phase(): Phase {
    return this.runner.phase;
  }

  /** How many pictures of a wish that does not say are liked. */
  get variants(): VariantsChoice {
    return this.#liked?.variants ?? 1;
  }

  get isFree(): boolean {
    return this.runner.isFree;
  }

  get result(): ShownResult | undefined {
    return this.runner.result;
  }

  get strip(): ScaleStrip {
    return this.runner.strip;
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
    return this.runner.margins ?? this.settings.margins;
  }

  /** What was asked for and is not made yet. */
  get waiting(): readonly QueuedRun[] {
    const { atWork } = this.runner;
    return atWork ? [atWork, ...this.queue.waiting] : this.queue.waiting;
  }

  /** Asks the service what there is; a pack that is liked is taken where it is installed. */
  async begin(liked?: string): Promise<void> {
    await this.attempt(async () => {
      void this.recent.load();
      const first = this.settings.pack;
      await this.serviceInfo.load(first);
      // Who chose one meanwhile meant it.
      const isThere = this.serviceInfo.packs.some(({ name }) => name === liked);
      if (liked !== undefined && isThere && this.settings.pack === first) this.wish.take({ pack: liked });
      this.runner.emptyStrip();
      const project = await this.journal.recover();
      if (!project || this.source || this.opener.busy) return;
      const said = await this.opener.restore(project);
      await this.opener.recoverTabs(project.tabs);
      this.notices = [{ code: 'project.recovered', message: 'This is where you left off.' }, ...said];
    });
  }

  /** After a restart the service has nothing but the journal: pictures come back by the names that they had. */
  async serviceIsBack(): Promise<void> {
    await this.attempt(async () => {
      const id = this.source?.info.id;
      if (id !== undefined && !(await this.#pictures.isThere(id))) await this.journal.recover();
      if (id !== undefined) await this.#link.call('picture.describe', { id });
      if (this.error?.code === 'service.unreachable') this.dismiss();
      await this.serviceInfo.load(this.settings.pack);
      this.keepJournal();
      this.wish.expectRun();
    });
  }

  /** Keeps what is on the table in the journal; to be called whenever it has changed. */
  keepJournal(): void {
    const { project } = this;
    const { tabs } = this.opener;
    this.journal.note(project && { ...project, ...(tabs.all.length > 1 && { tabs: tabs.kept }) });
  }

  change(change: Partial<Settings>): void {
    // What one pack leaves to choose, another refuses.
    const isOther = change.pack !== undefined && change.pack !== this.settings.pack;
    this.wish.change(isOther ? { scaleCount: undefined, modelSide: undefined, ...change } : change);
  }

  /** Whether there is a new pack; one that draws is the chosen one from now on. */
  async importCheckpoint(): Promise<boolean> {
    const pack = await this.checkpoint.import();
    if (!pack) return false;
    const draws = drawsPictures(pack);
    await this.attempt(() => this.serviceInfo.load(draws ? pack.name : this.settings.pack));
    if (!draws) return true;
    this.change({ pack: pack.name });
    return true;
  }

  /** Adds a mask from a file; what had to be guessed of it is said. */
  async openMask(file: Blob): Promise<void> {
    const { source } = this;
    if (!source) return;
    const read = async () => {
      const { runs, notices } = await this.#pictures.readMask(file, source.info.size);
      if (source === this.source) this.notices = notices;
      return runs;
    };
    await this.attempt(() => this.mask.addComing(read));
  }

  undo(): void {
    if (!this.canUndo) return;
    if (this.mask.working) {
      this.mask.stopSelecting();
      return;
    }
    if (this.blender.on) {
      if (this.blender.canUndo) this.blender.undo();
      else this.blender.end();
      return;
    }
    this.wish.settle();
    // What was changed since the run is taken back before its result is.
    if (this.result && this.runner.isLast) this.runner.discard('undo');
    else if (this.runner.canRecall('hand')) this.runner.recall();
    else if (!this.wish.isChanging && !this.mask.canUndo && !this.document.canUndo) void this.#undoClosing();
    else if (this.document.undo()) {
      this.#turned();
      this.#sayAgain();
    }
  }

  /** Before the first thing that was done to a document, another one lay here. */
  async #undoClosing(): Promise<void> {
    const { last } = this.recent;
    if (last && !this.opener.busy) await this.opener.reopen(last.id);
  }

  redo(): void {
    this.wish.settle();
    if (!this.canRedo) return;
    if (this.result) this.document.redoChange();
    else if (this.runner.canRecall('undo')) this.runner.recall();
    else if (this.document.redo()) {
      this.#turned();
      this.#forgetWords();
    }
  }

  /** The words of a result that is no longer kept are wanted again. */
  #sayAgain(): void {
    const words = this.document.sheets[this.document.step + 1]?.recipe?.request.instruction;
    if (words !== undefined && this.settings.instruction === '') this.wish.take({ instruction: words });
  }

  /** What was kept is done: its words are in the list of earlier ones. */
  #forgetWords(): void {
    if (this.settings.instruction.trim() === this.document.recipe?.request.instruction?.trim()) this.wish.take({ instruction: '' });
  }

  /** Lays another of the kept pictures on the table; none is lost. */
  goTo(step: number): void {
    if (!this.isSettled || step < 0 || step >= this.document.sheets.length) return;
    this.wish.settle();
    this.document.place({ sheets: this.document.sheets, open: step });
    this.#turned();
  }

  async run(detour?: Detour): Promise<void> {
    await this.runner.run(detour);
  }

  /** The run, and all that wait for it to end; what is paused does not wait for it. */
  cancel(): void {
    if (this.phase === 'running' && !this.queue.paused) this.queue.clear();
    this.cancelRun();
  }

  /** What waits behind it has its turn. */
  cancelRun(): void {
    this.runner.cancel();
  }

  /** Nothing is run for the open document any more: what was at work waits in front. */
  async stopRuns(): Promise<void> {
    const { atWork } = this.queue;
    this.queue.pause();
    const stopped = await this.runner.stop();
    if (stopped) void this.queue.putBack([atWork ?? stopped, ...this.queue.waiting], true);
  }

  /** Makes a step anew with the same wish and another seed. */
  async rerollStep(step: number): Promise<void> {
    await this.stepEditor.rerun(step, this.runner.anotherThan(this.document.sheets[step]?.recipe?.seed ?? 0));
  }

  /** The result becomes the picture to go on from. */
  keep(): void {
    if (this.blender.on) {
      void this.blender.keep();
      return;
    }
    const result = this.runner.takeResult();
    if (!result) return;
    const kept = this.document.stepOf(result);
    this.wish.settle();
    this.#follow(kept);
    this.wish.take({ margins: NO_MARGINS });
    this.#forgetWords();
  }

  /** There is no mask any more that could take in what lies beside it. */
  #forgetEdge(): void {
    this.notices = this.notices.filter(({ code }) => code !== 'mask.edge');
  }

  #follow(kept: Sheet): void {
    this.#forgetEdge();
    const before = { sheets: this.document.sheets, open: this.document.step + 1 };
    this.document.follow(kept);
    if (this.stepEditor.replacing === before.open) this.stepEditor.replaced(before);
    else this.document.dropFuture();
    this.showStep();
  }

  /** A run that waited has its turn. What is removed is kept as a step. */
  async runQueued({ order, detour }: QueuedRun): Promise<void> {
    if (order.removes && this.result) this.keep();
    await this.runner.run(order.removes ? { count: 1 } : detour, order);
    const result = order.removes && this.runner.arrived ? this.runner.takeResult() : undefined;
    if (result) this.#follow(this.document.stepOf(result, order.mask));
  }

  /** Work on the mask of a result begins by keeping it. Says whether there can be any. */
  goOn(): boolean {
    if (this.result) this.keep();
    return this.canPaint;
  }

  /** Takes in what lies beside the mask: what was made with the smaller one is no use any more. */
  growMask(px: number): void {
    if (this.result) this.discard();
    this.#forgetEdge();
    if (this.canPaint) this.mask.add({ kind: 'grow', px });
  }

  discard(): void {
    this.runner.discard('hand');
  }

  /** What failed once more: what had its turn and all that wait behind it, or the wish of the panels. */
  async tryAgain(): Promise<void> {
    if (this.queue.failed) await this.queue.goOn();
    else await this.run();
  }

  dismiss(): void {
    this.error = undefined;
    if (this.phase === 'failed') this.runner.phase = this.result ? 'done' : 'ready';
    this.queue.dropFailed();
    void this.queue.goOn();
  }

  /** Adds what is like the place that was clicked, without holding the window up. */
  async selectSimilar(wish: SimilarWish): Promise<void> {
    await this.attempt(() => this.mask.addSimilar(wish, ({ pixels }) => this.#pictures.whole.whole(pixels)));
  }

  /** The object that was pointed at changes the mask. */
  async selectObject(wish: ObjectWish): Promise<void> {
    await this.attempt(() =>
      this.mask.addObject(wish, ({ info }, pointing, signal) => this.#pictures.selectObject(info.id, pointing, signal)),
    );
  }

  /** Takes the edges of the mask to those of the photograph nearby. */
  async refineMask(radius: number): Promise<void> {
    await this.attempt(() => this.mask.refine(radius, ({ pixels }) => this.#pictures.whole.whole(pixels)));
  }

  /** These pictures are on the screen, or are with the next key. */
  look(pictures: readonly (ShownPicture | undefined)[]): void {
    this.#pictures.whole.look(pictures.flatMap((picture) => picture?.pixels ?? []));
  }

  lookAtResult(): void {
    this.blender.end();
    this.comparison.end();
  }

  /** The strip shows the scales of the pack. */
  packRead(): void {
    if (this.canPaint) this.runner.emptyStrip();
  }

  /** Another step was opened by undoing, redoing or going there. */
  #turned(): void {
    this.stepEditor.leave();
    this.showStep();
  }

  /** Shows the open step of the document. */
  showStep(): void {
    this.framer.leave();
    this.lookAtResult();
    this.runner.emptyStrip();
    // What it said of the picture that was here is not true of this one.
    this.error = undefined;
    this.runner.phase = 'ready';
    this.wish.expectRun();
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
