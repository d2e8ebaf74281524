import type { Project, ProjectInput } from '#contract/project.js';
import type { ErrorData } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import type { PictureId } from '#contract/request.js';
import { renderBlank } from '#canvas/blank.js';
import { renderSampleScene, type SampleScene } from '#canvas/sample-scenes.js';
import type { SceneName } from '#document/examples.js';
import { DEFAULT_SETTINGS } from '#document/request.js';
import type { ServiceInfo } from './service-info.svelte.js';
import { newSheet, type PhotoDocument } from './photo-document.svelte.js';
import type { Exporter } from './exporter.js';
import type { Fader } from './fader.svelte.js';
import type { Services, ShownPicture } from './pictures.js';
import { isProjectName, tableOf } from './project.js';
import { recalled } from './recalled.js';
import type { Recent } from './recent.svelte.js';
import type { RunQueue } from './run-queue.svelte.js';
import type { Runner } from './runner.svelte.js';
import type { StepEditor } from './step-editor.svelte.js';
import { Tabs } from './tabs.svelte.js';
import type { Wish } from './wish.svelte.js';

/** What the studio lends to whoever puts documents on the table. */
export interface OpenerContext {
  readonly document: PhotoDocument;
  readonly runner: Runner;
  readonly stepEditor: StepEditor;
  readonly queue: RunQueue;
  readonly fader: Fader;
  readonly wish: Wish;
  readonly recent: Recent;
  readonly serviceInfo: ServiceInfo;
  readonly exporter: Exporter;
  readonly shown: ShownPicture | undefined;
  readonly project: ProjectInput | undefined;
  notices: readonly Notice[];
  error: ErrorData | undefined;
  /** Nothing is run for what is on the table any more: what was yet to be run for it waits, and is paused. */
  stopRuns(): Promise<void>;
  showStep(): void;
  lookAtResult(): void;
  /** What fails is said. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Smaller sheets are too small to paint on; what small packs draw is enlarged. */
const LEAST_BLANK = 512;

/** Puts documents on the table, and away again with everything: nothing is lost. */
export class Opener {
  /** How many documents were opened by hand. */
  opened = $state(0);
  /** A file is on its way in. */
  busy = $state(false);
  readonly tabs = new Tabs();

  readonly #context: OpenerContext;
  readonly #services: Services;
  #openings = 0;
  /** Pictures that are scenes of ours. */
  readonly #scenes = new SvelteMap<PictureId, SceneName>();
  /** Places among the recent documents whose runs go on when they are open again: they were put away, not paused. */
  readonly #interrupted = new SvelteSet<string>();

  constructor(context: OpenerContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /** Which of our scenes the document began with; undefined for a photograph of one's own. */
  get scene(): SceneName | undefined {
    const [first] = this.#context.document.sheets;
    return first && this.#scenes.get(first.picture.info.id);
  }

  async openFile(file: Blob, name: string, blank = false): Promise<void> {
    const turn = this.#turn();
    this.busy = true;
    await this.#context.attempt(async () => {
      if (isProjectName(name)) {
        this.#context.notices = await this.restore(await this.#services.link.openProject(file));
        const { shown, exporter } = this.#context;
        if (shown) exporter.filed.add(shown.info.id);
        this.opened += 1;
        return;
      }
      const picture = await this.#services.pictures.open(file, name);
      const { settings, notices } = await recalled(this.#context.wish.settings, picture.info, this.#services.link);
      // A later file was chosen while this one was on its way.
      if (turn !== this.#openings) {
        this.#drop(picture);
        return;
      }
      const left = await this.#putAway();
      this.#context.document.open(newSheet(picture, blank));
      this.tabs.opened(name);
      this.#context.showStep();
      this.#context.wish.take(settings);
      this.opened += 1;
      this.#context.notices = [...left, ...notices];
    });
    if (turn === this.#openings) this.busy = false;
  }

  /** One after the other: the last lies on the table, and the others in tabs beside it. */
  async openFiles(files: readonly File[]): Promise<void> {
    const faults: ErrorData[] = [];
    for (const file of files) {
      await this.openFile(file, file.name);
      const { error } = this.#context;
      if (error && !faults.includes(error)) faults.push(error);
    }
    this.#context.error = faults[0];
  }

  async openScene(scene: SampleScene, name: string): Promise<void> {
    await this.openFile(await renderSampleScene(scene), `${name}.png`);
    const opened = this.#context.document.source?.info;
    if (opened?.name === `${name}.png`) this.#scenes.set(opened.id, scene.name);
  }

  /** An empty sheet of the pack's own size at least, to be drawn on from words. */
  async openBlank(name: string): Promise<void> {
    await this.openFile(await renderBlank(Math.max(LEAST_BLANK, this.#context.serviceInfo.pack?.card.imageSize ?? 0)), name, true);
  }

  /** A document that was put away comes back as it was. */
  async reopen(id: string): Promise<void> {
    this.#turn();
    await this.#context.attempt(async () => {
      const left = await this.restore(await this.#context.recent.open(id), id);
      this.#context.recent.opened(id);
      this.opened += 1;
      this.#context.notices = left;
    });
  }

  /** Puts a document on the table in place of what is there, of which it says what waits; `id` is its place among the recent ones. */
  async restore(project: Project, id?: string): Promise<readonly Notice[]> {
    const { document, runner, wish, stepEditor, queue, exporter } = this.#context;
    const table = await tableOf(project, this.#services.pictures, DEFAULT_SETTINGS);
    const left = await this.#putAway();
    [document.history.done, document.history.undone] = [table.done, table.undone];
    document.place(table);
    this.tabs.opened(table.sheets[0]?.picture.info.name ?? '', id);
    wish.take(table.settings);
    this.#context.showStep();
    stepEditor.replacing = table.replacing;
    runner.place(table.results, table.chosen);
    for (const picture of table.filed) exporter.filed.add(picture);
    // From another session, nothing begins by itself.
    const goesOn = id !== undefined && this.#interrupted.delete(id);
    void queue.putBack(table.waiting, !goesOn);
    return queue.paused ? [...left, { code: 'queue.recovered', message: 'Runs that were not made yet wait.' }] : left;
  }

  /** Documents that lay in tabs beside the one that has come back; what is no longer kept has none. */
  async recoverTabs(kept: NonNullable<Project['tabs']> = []): Promise<void> {
    const { recent } = this.#context;
    if (!kept.some(({ open }) => open)) return;
    await recent.load();
    const isThere = (id: string | undefined) => recent.documents.some((document) => document.id === id);
    this.tabs.restore(kept.filter(({ id, open }) => open ?? isThere(id)));
    const own = kept.find(({ open }) => open)?.id;
    if (own !== undefined && isThere(own)) recent.opened(own);
  }

  /** Takes what is on the table off it, and keeps it where it can be had again; the tab beside it comes. */
  async close(): Promise<void> {
    const { active } = this.tabs;
    this.#turn();
    const left = await this.#context.attempt(async () => {
      const said = await this.#putAway();
      const { document, runner } = this.#context;
      document.mask.end();
      runner.emptyStrip();
      this.#context.notices = said;
      this.#context.error = undefined;
      runner.phase = 'empty';
      return said;
    });
    const next = active === undefined ? undefined : this.tabs.close(active);
    if (next?.id === undefined) return;
    await this.reopen(next.id);
    this.#context.notices = [...this.#context.notices, ...(left ?? [])];
  }

  /** Another tab's document comes to the table. */
  async switchTo(key: number): Promise<void> {
    const tab = this.tabs.all.find((each) => each.key === key);
    if (tab?.id !== undefined && key !== this.tabs.active && !this.busy) await this.reopen(tab.id);
  }

  async closeTab(key: number): Promise<void> {
    if (key === this.tabs.active) await this.close();
    else this.tabs.close(key);
  }

  #turn(): number {
    this.#openings += 1;
    return this.#openings;
  }

  /** What is on the table goes to the recent documents, with everything; what was yet to be run for it waits there, which is said. */
  async #putAway(): Promise<readonly Notice[]> {
    const { wish, document, recent, queue } = this.#context;
    const { paused } = queue;
    await this.#context.stopRuns();
    wish.settle();
    const { project, shown } = this.#context;
    const { sheets } = document;
    const waiting = queue.waiting.length;
    if (project && shown) {
      try {
        const id = await recent.keep({ project, sheets, shown });
        this.tabs.putAway(id, waiting);
        if (waiting > 0 && !paused) this.#interrupted.add(id);
      } catch (error) {
        if (!paused) void queue.resume();
        throw error;
      }
    }
    this.#forgetAll();
    return waiting > 0 && !paused
      ? [{ code: 'queue.put-away', message: 'The runs of the other document wait until it is open again.' }]
      : [];
  }

  #forgetAll(): void {
    const { queue, fader, runner, stepEditor, wish, document } = this.#context;
    queue.clear();
    fader.forget();
    runner.forgetAll();
    this.#context.lookAtResult();
    stepEditor.leave();
    wish.settle();
    document.clear();
  }

  #drop({ info, pixels }: ShownPicture): void {
    pixels.close();
    this.#services.pictures.forget(info.id);
  }
}
