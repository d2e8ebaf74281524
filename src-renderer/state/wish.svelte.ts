import { changeBetween, turned, type Change } from '#document/changes.js';
import { DEFAULT_SETTINGS, requestOf, type RequestPictures, type Settings } from '#document/request.js';
import type { ServiceInfo, Completion } from './service-info.svelte.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import { HeldMask } from './held-mask.js';
import type { MapPreview } from './map-preview.svelte.js';
import type { Pictures } from './pictures.js';
import type { QueuedRun } from './run-order.js';
import type { ShownResult } from './sheets.js';

/** What the studio lends to whoever wishes. */
export interface WishContext {
  readonly document: PhotoDocument;
  readonly serviceInfo: ServiceInfo;
  readonly map: MapPreview;
  readonly runner: { readonly results: readonly ShownResult[] };
  /** What was asked for and is not made yet. */
  readonly waiting: readonly QueuedRun[];
  /** A picture is drawn in the place of what is there. */
  readonly anew: boolean;
  /** Another pack has been read. */
  packRead(): void;
  /** What fails is said. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Typing that rests so long is a change of its own. */
const REST_MS = 1000;
const MOST_SAID = 50;

/** What is wished: what the panels hold, gesture after gesture, and what can be said of it before it is run. */
export class Wish {
  settings = $state.raw<Settings>(DEFAULT_SETTINGS);
  /** Instructions that were run, the last one first. */
  said = $state.raw<readonly string[]>([]);
  /** A control map is on its way in: a run that is asked for meanwhile waits for it. */
  coming: Promise<void> | undefined;
  /** What was there before the gesture that is under way. */
  #before = $state.raw<Settings>();
  #touched = '';
  #held = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #context: WishContext;
  readonly #pictures: Pictures;
  readonly #mask: HeldMask;

  constructor(context: WishContext, pictures: Pictures) {
    this.#context = context;
    this.#pictures = pictures;
    this.#mask = new HeldMask(pictures);
  }

  /** A gesture is under way that can be undone. */
  get isChanging(): boolean {
    return this.#before !== undefined;
  }

  /** By hand: one gesture is one step that can be undone. */
  change(part: Partial<Settings>): void {
    const touched = Object.keys(part).join();
    if (touched !== this.#touched) this.settle();
    this.#touched = touched;
    if (this.#context.document.source) this.#before ??= this.settings;
    this.take(part);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.#held) this.settle();
    }, REST_MS);
  }

  /** The hand is on something: until it is lifted, all is one gesture. */
  hold(): void {
    this.settle();
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.settle();
  }

  /** The gesture is over. */
  settle(): void {
    clearTimeout(this.#timer);
    const before = this.#before;
    this.#before = undefined;
    const { document } = this.#context;
    const change = before && changeBetween(before, this.settings, document.mask.history.length);
    if (change) document.addChange(change);
  }

  /** Takes a change back, or up again. */
  turn(change: Change, side: 'was' | 'is'): void {
    this.take(turned(this.settings, change, side));
  }

  /** What follows from another change, and is no step of its own. */
  take(part: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...part };
    if (this.settings.pack !== before.pack) void this.#usePack();
    else if (this.settings.instruction !== before.instruction) this.#readInstruction();
    this.expectRun();
  }

  /** A control map of the user's own. */
  async openMap(file: Blob, name: string): Promise<void> {
    const coming = this.#context.attempt(async () => {
      const { id } = await this.#pictures.upload(file, name);
      this.#takeMap({ id, name });
    });
    this.coming = coming;
    await coming;
    if (this.coming === coming) this.coming = undefined;
  }

  dropMap(): void {
    this.#takeMap(undefined);
  }

  #takeMap(map: Settings['control']['map']): void {
    const { document, runner, waiting } = this.#context;
    const last = this.settings.control.map?.id;
    // A step that is run again is held to its own map, and so is what waits.
    const others = [...runner.results.map(({ map: own }) => own), ...waiting.map(({ order }) => order.settings.control.map)];
    const needed = last !== undefined && (document.holdsMap(last) || others.some((own) => own?.id === last));
    if (!needed) this.#pictures.forget(last);
    this.take({ control: { ...this.settings.control, map } });
  }

  remember(instruction = this.settings.instruction): void {
    const words = instruction.trim();
    if (words === '') return;
    this.said = [words, ...this.said.filter((earlier) => earlier !== words)].slice(0, MOST_SAID);
  }

  /** Asks what a run of this would cost, and how its map looks. */
  expectRun(): void {
    const { document, serviceInfo, map } = this.#context;
    if (!document.source) return;
    const pictures = { source: document.source.info.id, mask: this.#mask.nameOf(document.mask), anew: this.anew };
    const request = requestOf({ ...this.settings, count: 1 }, pictures);
    const masked: Completion = (named) => this.#mask.sentWith(named, document.mask);
    serviceInfo.expectRun(request, masked);
    map.show(request, masked);
  }

  /** The sheet on which a picture is drawn anew; undefined where the open one is edited. */
  get anew(): RequestPictures['anew'] {
    const { anew, document } = this.#context;
    return anew && document.source ? { size: document.source.info.size, blank: document.blank } : undefined;
  }

  async #usePack(): Promise<void> {
    await this.#context.attempt(async () => {
      await this.#context.serviceInfo.usePack(this.settings.pack);
      this.#readInstruction();
      this.#context.packRead();
    });
  }

  #readInstruction(): void {
    this.#context.serviceInfo.readInstruction(this.settings.pack, this.settings.instruction);
  }
}
