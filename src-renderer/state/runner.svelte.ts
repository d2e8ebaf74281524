import { endingOf } from '#contract/ending.js';
import { type ErrorData } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { PictureInfo } from '#contract/api.js';
import type { MaskHistory } from '#contract/mask.js';
import type { Margins } from '#contract/request.js';
import type { VariantsChoice } from '#contract/preferences.js';
import { sourcesOf } from '#document/mask-list.js';
import { requestOf, type RequestPictures, type Verb } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';
import type { ServiceInfo } from './service-info.svelte.js';
import { continued, endedAt, isUnfinished, nextRedrawSeed, reachedPlace, redrawnAt, rerolledFrom, stoppedAt } from './branch.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { Services, ShownPicture } from './pictures.js';
import { moreThatFit } from './more-variants.js';
import { paintedOf, textOf, type QueuedRun, type Running, type RunOrder } from './run-order.js';
import { followRun } from './run.js';
import { releasePreviews, ScaleStrip } from './scale-strip.svelte.js';
import type { Detour, Phase, ShownResult } from './sheets.js';
import type { Wish } from './wish.svelte.js';

/** What the studio lends to runs. */
export interface RunnerContext {
  readonly document: PhotoDocument;
  readonly serviceInfo: ServiceInfo;
  readonly wish: Wish;
  readonly verb: Verb;
  /** There is a wish that can be run, if not while another is on. */
  readonly canAsk: boolean;
  readonly canFill: boolean;
  /** How many pictures of a wish that does not say are liked. */
  readonly variants: VariantsChoice;
  readonly queue: { readonly waiting: readonly QueuedRun[]; add(run: QueuedRun): Promise<void>; goOn(): Promise<void> };
  notices: readonly Notice[];
  error: ErrorData | undefined;
  /** The picture itself is looked at again. */
  lookAtResult(): void;
}

/** As many as a project holds. */
const MOST_RESULTS = 16;

/** The life of a run: what is asked for, what arrives, and the results that wait to be kept or discarded. */
export class Runner {
  phase = $state<Phase>('empty');
  /** What was made of the open picture and is not decided on yet, and which of it is shown. */
  results = $state.raw<readonly ShownResult[]>([]);
  chosen = $state(0);
  /** The place of the strip that was picked, 1-based: where to stop or to branch off. */
  picked = $state<number>();
  /** The last run came to its end; false where it was cancelled or failed. */
  arrived = false;
  readonly strip = new ScaleStrip();

  readonly result: ShownResult | undefined = $derived(this.results[this.chosen]);
  /** The last place of the strip that the result has. */
  readonly reached = $derived(this.result ? reachedPlace(this.result.candidate) : 0);
  readonly unfinished = $derived(this.result !== undefined && isUnfinished(this.result));
  /** The border of what is being made or is shown; undefined where that is the open picture itself. */
  readonly margins: Margins | undefined = $derived.by(() => this.#running?.margins ?? this.result?.margins);
  /** A run of this wish would make what is there already: the next one draws another. */
  readonly repeats: boolean = $derived.by(
    () => this.results.length > 0 && this.#asked === this.#wish && this.results.some(({ candidate }) => candidate.seed === this.#seed),
  );

  #running = $state.raw<Running>();
  /** What the results answer, whatever their seeds. */
  #asked = $state<string>();
  /** What was discarded last, for as long as nothing else has been done. */
  #discarded = $state.raw<Discarded>();
  /** How many changes the open step had when the last run began. */
  #changesAtRun = 0;
  /** A run is ended so that it begins anew. */
  #beginsAnew = false;
  /** Draws more of what was drawn last, beside whatever the user does. */
  #more: AbortController | undefined;

  readonly #context: RunnerContext;
  readonly #services: Services;

  constructor(context: RunnerContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /** All of the wish but its seed and number, as a text. */
  get #wish(): string | undefined {
    const { document, wish } = this.#context;
    return document.source && textOf({ settings: wish.settings, mask: paintedOn(document), anew: wish.anew }, document.source.info.id);
  }

  /** Nothing is in the way of a run. */
  get isFree(): boolean {
    return this.phase !== 'running' && this.phase !== 'empty' && !this.#beginsAnew;
  }

  get #seed(): number {
    return this.#context.wish.settings.seed;
  }

  /** Nothing was changed in the panels since the run that made the results. */
  get isLast(): boolean {
    return this.#context.document.changes.length <= this.#changesAtRun;
  }

  /** What was discarded can be had again by undoing it, or by redoing what was undone, where everything is as it was. */
  canRecall(by: Discarded['by']): boolean {
    return this.phase === 'ready' && this.#discarded?.by === by && this.#discarded.place === this.#place;
  }

  /** How far the document has been worked on, as a text. */
  get #place(): string {
    const { step, mask, changes } = this.#context.document;
    return [step, mask.history.length, changes.length].join();
  }

  /** The main button: the wish, or another answer to it where it has been answered; while a run is on, it waits for its turn. */
  async press(): Promise<void> {
    const { document, wish } = this.#context;
    if (document.mask.working) await document.mask.settled();
    if (wish.coming) await wish.coming;
    if (this.phase === 'running') this.#queueWish();
    else if (this.repeats) await this.another();
    else await this.run();
  }

  #queueWish(): void {
    const { canAsk, wish, queue } = this.#context;
    if (!canAsk) return;
    wish.settle();
    wish.remember();
    const order = this.#order();
    if (order) void queue.add({ order });
  }

  /** What the panels and the masks say now. */
  #order(): RunOrder | undefined {
    const { document, wish, verb } = this.#context;
    const { settings, anew } = wish;
    const size = document.source?.info.size;
    return size && { verb, settings, size, mask: paintedOn(document), copied: sourcesOf(document.mask.list), anew };
  }

  /** A seed of its own, where the order was answered meanwhile. */
  #notYetDrawn(order: RunOrder): Detour {
    const { source } = this.#context.document;
    const seeds = this.results.map(({ candidate }) => candidate.seed);
    const isDrawn = source && this.#asked === textOf(order, source.info.id) && seeds.includes(order.settings.seed);
    return isDrawn ? this.anotherThan(Math.max(...seeds)) : {};
  }

  /** The wish with the next seed that none of the results has. */
  async another(): Promise<void> {
    if (this.#asked === this.#wish && this.result?.candidate.onlyAnswer) {
      this.#context.notices = [{ code: 'edit.only-answer', message: 'Another seed gives the same picture.' }];
      return;
    }
    await this.run(this.anotherThan(Math.max(...this.results.map(({ candidate }) => candidate.seed))));
  }

  /** The wish with the seed of the shown result: the same picture, or what a changed setting makes of it. */
  async sameSeed(): Promise<void> {
    const { result } = this;
    if (result) await this.run({ seed: result.candidate.seed, ...temperatureOf(result) });
  }

  /** Runs what the panels say, or an order that was given before. */
  async run(detour?: Detour, given?: RunOrder): Promise<void> {
    const { document, wish } = this.#context;
    if (!this.#isPossible(given)) return;
    wish.settle();
    const order = given ?? this.#order();
    if (!order || !document.source) return;
    if (!order.removes) wish.remember(order.settings.instruction);
    const way = detour ?? (given ? this.#notYetDrawn(given) : {});
    if ((await this.#doRun(order, way, document.source.info)) && !order.removes) void this.#context.queue.goOn();
  }

  #isPossible(given: RunOrder | undefined): boolean {
    const { canAsk, canFill } = this.#context;
    return this.phase !== 'running' && (given ? !given.removes || canFill : canAsk);
  }

  /** Says whether it came to its end. */
  async #doRun(order: RunOrder, detour: Detour, source: PictureInfo): Promise<boolean> {
    this.#changesAtRun = this.#context.document.changes.length;
    this.#more?.abort();
    let finish = (): void => undefined;
    const ended = new Promise<void>((resolve) => (finish = resolve));
    const running = { ...this.#aboutTo(order, detour), ended };
    this.#running = running;
    this.arrived = false;
    this.phase = 'running';
    this.#context.error = undefined;
    this.#context.lookAtResult();
    this.picked = undefined;
    try {
      await this.#follow(running, source, order);
    } catch (error) {
      this.#comeToNothing(running, error);
    } finally {
      this.#running = undefined;
      finish();
    }
    return this.arrived;
  }

  #aboutTo(order: RunOrder, detour: Detour): Omit<Running, 'ended'> {
    const { verb, settings } = order;
    const { kind, map } = settings.control;
    return {
      order,
      controller: new AbortController(),
      margins: verb === 'expand' ? settings.margins : NO_MARGINS,
      detour,
      strip: this.strip.contents,
      map: kind === 'none' ? undefined : map,
    };
  }

  /** What is at work, as it was asked for. */
  get atWork(): QueuedRun | undefined {
    return this.#running && { order: this.#running.order, detour: this.#running.detour };
  }

  cancel(): void {
    this.#running?.controller.abort();
  }

  /** Gives what was stopped on its way, to be begun again. */
  async stop(): Promise<QueuedRun | undefined> {
    const running = this.#running;
    this.cancel();
    await running?.ended;
    return running && !this.arrived ? { order: running.order, detour: running.detour } : undefined;
  }

  /** Ends the run with the scales that are done: the same seed draws the same tokens again, and stops there. */
  async stopHere(): Promise<void> {
    const { reached, detailReached } = this.strip;
    const { detour, order } = this.#running ?? {};
    if (!detour || reached === 0) return;
    this.#beginsAnew = true;
    await this.stop();
    this.#beginsAnew = false;
    await this.run(endedAt(detour, { scale: reached, detail: detailReached }), order);
  }

  /** The result as it was at a place of the strip. */
  async stopAt(place: number): Promise<void> {
    if (this.result) await this.run(stoppedAt(this.result.candidate, place));
  }

  /** The scales that a stopped result lacks. */
  async continueRun(): Promise<void> {
    if (this.result) await this.run(continued(this.result.candidate));
  }

  /** Other pictures with the same coarse scales: what is at `place` and behind it is made anew. */
  async reroll(place: number, count: number): Promise<void> {
    const { result } = this;
    if (result) await this.run(rerolledFrom(result.candidate, place, { ...this.anotherThan(result.candidate.seed), count }));
  }

  /** Other pictures of which only a share of one scale, what is least certain of it, is made anew. */
  async redraw(scale: number, { share, count }: { readonly share: number; readonly count: number }): Promise<void> {
    const { result } = this;
    if (!result) return;
    const redraw = { scale, share, seed: nextRedrawSeed(this.results) };
    await this.run({ ...redrawnAt(result.candidate, redraw, count), ...temperatureOf(result) });
  }

  /** Without chance there is nothing to draw anew. */
  anotherThan(seed: number): Detour {
    const own = this.#context.serviceInfo.pack?.card.defaults.temperature;
    return { seed: (seed + 1) >>> 0, temperature: this.#context.wish.settings.temperature ?? (own === 0 || own === undefined ? 1 : own) };
  }

  choose(candidate: number): void {
    if (this.phase !== 'running' && this.results[candidate]) this.chosen = candidate;
  }

  /** The next result, or the one before: round and round. */
  walk(step: number): void {
    const count = this.results.length;
    if (count > 0) this.choose((this.chosen + step + count) % count);
  }

  /** Takes the shown result out of the row and lets the others go. */
  takeResult(): ShownResult | undefined {
    const { result } = this;
    if (!result || this.phase === 'running') return undefined;
    this.#more?.abort();
    for (const other of this.results) if (other !== result) this.#drop(other);
    this.results = [];
    this.chosen = 0;
    this.#forgetDiscarded();
    this.#services.pictures.forget(result.candidate.changedMask);
    return result;
  }

  /** Another picture in the place of a result: it is what was made of it. */
  replace(result: ShownResult, { info, pixels }: ShownPicture): void {
    this.results = this.results.map((each) => (each === result ? { ...each, info, pixels } : each));
    this.chosen = this.results.findIndex(({ info: { id } }) => id === info.id);
    if (result.info.id !== info.id) this.#drop(result);
  }

  /** What lay there when a document was put down. */
  place(results: readonly ShownResult[], chosen: number): void {
    this.results = results;
    this.chosen = chosen;
    this.#asked = this.#wish;
    this.#changesAtRun = this.#context.document.changes.length;
    if (results.length > 0) this.phase = 'done';
  }

  /** Nothing of it is kept, but it can be had again until something else is done. */
  discard(by: Discarded['by']): void {
    if (!this.result || this.phase === 'running') return;
    this.#forgetDiscarded();
    this.#more?.abort();
    this.#discarded = { by, place: this.#place, results: this.results, chosen: this.chosen, asked: this.#asked };
    this.results = [];
    this.chosen = 0;
    this.#context.lookAtResult();
    this.emptyStrip();
    this.#context.error = undefined;
    this.phase = 'ready';
  }

  recall(): void {
    const discarded = this.#discarded;
    if (!discarded) return;
    this.#discarded = undefined;
    ({ results: this.results, chosen: this.chosen } = discarded);
    this.#asked = discarded.asked;
    this.phase = 'done';
  }

  forgetAll(): void {
    this.#more?.abort();
    for (const result of this.results) this.#drop(result);
    this.results = [];
    this.chosen = 0;
    this.#forgetDiscarded();
  }

  /** As many places as the pack has scales. */
  emptyStrip(): void {
    this.strip.empty(this.#context.serviceInfo.pack?.card.config.transformer.scales ?? []);
  }

  async #follow(running: Running, source: PictureInfo, order: RunOrder): Promise<void> {
    const { wish, variants } = this.#context;
    const pictures = await this.#upload(order, source);
    const liked = variants === 'auto' ? 1 : variants;
    const settings = { ...order.settings, count: order.settings.count ?? liked };
    const request = { ...requestOf(settings, { source: source.id, ...pictures, anew: order.anew }), ...running.detour };
    const onnotices = (notices: readonly Notice[]) => (this.#context.notices = notices);
    try {
      const results = await followRun({ ...this.#services, strip: this.strip, onnotices }, request, running);
      this.#forgetDiscarded();
      const kept = this.#makeRoom(running.detour.resume === undefined ? MOST_RESULTS - results.length : 0);
      releasePreviews(running.strip);
      this.results = [...kept, ...results];
      this.chosen = kept.length;
      this.arrived = true;
      this.#asked = textOf(order, source.id);
    } finally {
      this.#services.pictures.forget(pictures.mask, pictures.copy?.mask);
    }
    this.phase = 'done';
    wish.expectRun();
    const isFirst = this.results.length === 1 && Object.keys(running.detour).length === 0;
    if (isFirst && variants === 'auto' && order.settings.count === undefined && !order.removes) void this.#drawMore(order, source);
  }

  /** As many more as there is time for; whatever the user does next ends it. */
  async #drawMore(order: RunOrder, source: PictureInfo): Promise<void> {
    const [first] = this.results;
    const count = first && this.#context.queue.waiting.length === 0 ? moreThatFit(first) : 0;
    if (!first || count === 0) return;
    const controller = new AbortController();
    this.#more = controller;
    const running = { ...this.#aboutTo(order, { ...this.anotherThan(first.candidate.seed), count }), controller, ended: Promise.resolve() };
    const place = { ...this.#services, strip: new ScaleStrip(), onnotices: () => undefined };
    const pictures = await this.#upload(order, source).catch(() => ({ mask: undefined }));
    const request = {
      ...requestOf(order.settings, { source: source.id, ...pictures, anew: order.anew }),
      ...running.detour,
      previews: false,
    };
    // What nobody asked for fails without a word.
    const more = await followRun(place, request, running).catch(() => []);
    this.#services.pictures.forget(pictures.mask, 'copy' in pictures ? pictures.copy?.mask : undefined);
    if (!controller.signal.aborted && this.phase === 'done' && this.results.includes(first)) this.results = [...this.results, ...more];
    else for (const result of more) this.#drop(result);
  }

  /** The last of the results stay; a picture that goes on from one of them takes the place of all. */
  #makeRoom(places: number): readonly ShownResult[] {
    const kept = places > 0 ? this.results.slice(-places) : [];
    for (const result of this.results) if (!kept.includes(result)) this.#drop(result);
    return kept;
  }

  /** What is painted of the order. */
  async #upload(order: RunOrder, { size }: PictureInfo): Promise<Pick<RequestPictures, 'mask' | 'copy'>> {
    const { pictures } = this.#services;
    const { mask, sources } = await paintedOf(order, this.#context.document.mask, size);
    const id = mask && (await pictures.upload(mask, 'mask.png')).id;
    if (!sources) return { mask: id };
    return { mask: id, copy: { mask: (await pictures.upload(sources.png, 'sources.png')).id, only: sources.only } };
  }

  /** Everything is as it was before the run; what is no cancellation is said. */
  #comeToNothing({ strip, controller }: Running, error: unknown): void {
    if (this.strip.contents !== strip) this.strip.restore(strip);
    const ending = endingOf(error, controller.signal);
    if (ending.type === 'failed') this.#context.error = ending.error;
    if (ending.type === 'cancelled') this.phase = this.result ? 'done' : 'ready';
    else this.phase = 'failed';
  }

  #forgetDiscarded(): void {
    for (const result of this.#discarded?.results ?? []) this.#drop(result);
    this.#discarded = undefined;
  }

  #drop({ info, pixels, candidate }: ShownResult): void {
    pixels.close();
    this.#services.pictures.forget(info.id, candidate.changedMask);
  }
}

interface Discarded {
  readonly by: 'hand' | 'undo';
  readonly place: string;
  readonly results: readonly ShownResult[];
  readonly chosen: number;
  readonly asked: string | undefined;
}

function paintedOn({ mask }: PhotoDocument): MaskHistory | undefined {
  return mask.masked ? mask.repaint : undefined;
}

/** With which chance a result was drawn, where the wish said it. */
function temperatureOf({ request }: ShownResult): Detour {
  return request.temperature === undefined ? {} : { temperature: request.temperature };
}
