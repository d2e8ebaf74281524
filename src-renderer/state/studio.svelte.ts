import type { Extent } from '#base/geometry.js';
import type { Forecast, InstructionReport, PictureInfo, ProviderReport } from '#contract/api.js';
import { toErrorData, type ErrorData } from '#contract/errors.js';
import type { Candidate, EditEvent, Notice } from '#contract/event.js';
import type { OutputFormat, PictureId } from '#contract/request.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { renderSampleScene, type SampleScene } from '#canvas/sample-scenes.js';
import { EMPTY_MASK, redone, undone, withStep, type MaskHistory, type MaskStep } from '#document/mask.js';
import { DEFAULT_SETTINGS, requestOf, verbOf, type Settings, type Verb } from '#document/request.js';
import type { Link } from '#link/http.js';
import { ScaleStrip } from './scale-strip.svelte.js';

export type Phase = 'empty' | 'ready' | 'running' | 'done' | 'failed';

/** A picture that the service holds and that we can draw. */
export interface ShownPicture {
  readonly info: PictureInfo;
  readonly bitmap: ImageBitmap;
}

export interface ShownResult extends ShownPicture {
  readonly candidate: Candidate<PictureId>;
}

/** How long typing must rest before the instruction is looked at. */
const TYPING_REST_MS = 250;

/** What the studio knows and does; holds no element and draws nothing. */
export class Studio {
  phase = $state<Phase>('empty');
  source = $state.raw<ShownPicture>();
  result = $state.raw<ShownResult>();
  settings = $state.raw<Settings>(DEFAULT_SETTINGS);
  mask = $state.raw<MaskHistory>(EMPTY_MASK);
  maskLayer = $state.raw<MaskLayer>();
  masked = $state(false);
  /** Rises with every change of the mask's pixels. */
  maskRevision = $state(0);
  error = $state.raw<ErrorData>();
  notices = $state.raw<readonly Notice[]>([]);
  forecast = $state.raw<Forecast>();
  wording = $state.raw<InstructionReport>();
  providers = $state.raw<readonly ProviderReport[]>([]);
  /** Shows the original in place of the result. */
  comparing = $state(false);
  readonly strip = new ScaleStrip();
  readonly verb: Verb = $derived(verbOf(this.settings, this.masked));

  readonly #link: Link;
  #running: AbortController | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** Sources before each kept result, so that keeping can be undone. */
  #earlier: ShownPicture[] = [];

  constructor(link: Link) {
    this.#link = link;
    void this.#attempt(async () => {
      this.providers = await link.call('providers.list', {});
    });
  }

  get extent(): Extent | undefined {
    return this.source?.info.size;
  }

  get canRun(): boolean {
    if (!this.source || this.phase === 'running') return false;
    return this.verb !== 'edit' || this.settings.instruction.trim() !== '';
  }

  get canUndo(): boolean {
    return this.mask.length > 0 || this.#earlier.length > 0;
  }

  get canRedo(): boolean {
    return this.mask.length < this.mask.steps.length;
  }

  change(change: Partial<Settings>): void {
    const previous = this.settings;
    this.settings = { ...previous, ...change };
    if (change.instruction !== undefined && change.instruction !== previous.instruction) this.#checkWording();
    else void this.#refreshForecast();
  }

  async openFile(file: Blob, name: string): Promise<void> {
    await this.#attempt(async () => {
      const info = await this.#link.upload(file, name);
      this.#earlier = [];
      this.#show({ info, bitmap: await this.#bitmap(info.id) });
      this.notices = info.notices;
    });
  }

  async openScene(scene: SampleScene): Promise<void> {
    await this.openFile(await renderSampleScene(scene), `${scene.name}.png`);
  }

  /** A part of a stroke was painted straight onto the layer. */
  maskPainted(): void {
    this.masked = true;
    this.maskRevision += 1;
  }

  addMaskStep(step: MaskStep): void {
    this.#setMask(withStep(this.mask, step), step.kind !== 'stroke');
  }

  undo(): void {
    if (this.mask.length > 0) {
      this.#setMask(undone(this.mask), true);
      return;
    }
    const earlier = this.#earlier.pop();
    if (earlier) this.#show(earlier);
  }

  redo(): void {
    this.#setMask(redone(this.mask), true);
  }

  async run(): Promise<void> {
    if (!this.canRun || !this.source) return;
    const running = new AbortController();
    this.#running = running;
    this.phase = 'running';
    this.error = undefined;
    this.comparing = false;
    try {
      const mask = await this.#uploadMask();
      const request = requestOf(this.settings, { source: this.source.info.id, mask });
      for await (const event of this.#link.stream('edit.run', request, running.signal)) await this.#take(event);
    } catch (error) {
      if (running.signal.aborted) this.#cancelled();
      else this.#fail(toErrorData(error));
    } finally {
      this.#running = undefined;
    }
  }

  cancel(): void {
    this.#running?.abort();
  }

  /** The result becomes the picture to go on from. */
  keep(): void {
    if (!this.result || !this.source) return;
    this.#earlier = [...this.#earlier, this.source];
    this.#show(this.result);
    this.settings = { ...this.settings, margins: DEFAULT_SETTINGS.margins };
  }

  discard(): void {
    this.result = undefined;
    this.strip.clear();
    this.phase = 'ready';
  }

  dismiss(): void {
    this.error = undefined;
    if (this.phase === 'failed') this.phase = this.source ? 'ready' : 'empty';
  }

  /** Where the shown picture can be fetched in the format that was asked for. */
  async prepareSave(format: OutputFormat): Promise<{ readonly url: string; readonly name: string } | undefined> {
    const shown = this.result ?? this.source;
    if (!shown) return undefined;
    let saved: { url: string; name: string } | undefined;
    await this.#attempt(async () => {
      const info = await this.#link.call('picture.convert', { id: shown.info.id, format, quality: SAVE_QUALITY });
      saved = { url: this.#link.pictureUrl(info.id), name: info.name };
    });
    return saved;
  }

  #show(picture: ShownPicture): void {
    this.source = picture;
    this.result = undefined;
    this.strip.clear();
    this.maskLayer = new MaskLayer(picture.info.size);
    this.#setMask(EMPTY_MASK, false);
    this.phase = 'ready';
    void this.#refreshForecast();
  }

  #setMask(mask: MaskHistory, redraw: boolean): void {
    this.mask = mask;
    if (redraw) this.maskLayer?.show(mask);
    this.masked = this.maskLayer ? !this.maskLayer.empty : false;
    this.maskRevision += 1;
  }

  async #uploadMask(): Promise<PictureId | undefined> {
    if (!this.masked || !this.maskLayer || this.verb === 'expand') return undefined;
    return (await this.#link.upload(await this.maskLayer.toPng(), 'mask.png')).id;
  }

  async #take(event: EditEvent): Promise<void> {
    switch (event.type) {
      case 'started':
        this.notices = event.plan.notices;
        this.strip.begin(event.plan);
        break;
      case 'scale':
        this.strip.reach(event);
        break;
      case 'preview':
        this.strip.fill(event, { url: this.#link.pictureUrl(event.picture), bitmap: await this.#bitmap(event.picture) });
        break;
      case 'candidate':
        await this.#takeCandidate(event.candidate);
        break;
      case 'done':
        this.phase = 'done';
        void this.#refreshForecast();
        break;
      case 'failed':
        this.#fail(event.error);
        break;
      case 'cancelled':
        this.#cancelled();
    }
  }

  async #takeCandidate(candidate: Candidate<PictureId>): Promise<void> {
    const info = await this.#link.call('picture.describe', { id: candidate.picture });
    this.result = { info, candidate, bitmap: await this.#bitmap(candidate.picture) };
  }

  #cancelled(): void {
    this.strip.clear();
    this.phase = this.result ? 'done' : 'ready';
  }

  #fail(error: ErrorData): void {
    this.error = error;
    this.strip.clear();
    this.phase = 'failed';
  }

  async #bitmap(id: PictureId): Promise<ImageBitmap> {
    const response = await fetch(this.#link.pictureUrl(id));
    return createImageBitmap(await response.blob());
  }

  #checkWording(): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      void this.#attempt(async () => {
        this.wording = await this.#link.call('instruction.check', { pack: PACK, instruction: this.settings.instruction });
      });
    }, TYPING_REST_MS);
  }

  async #refreshForecast(): Promise<void> {
    if (!this.source) return;
    const request = { ...requestOf(this.settings, { source: this.source.info.id, mask: undefined }), task: 'edit' as const };
    await this.#attempt(async () => {
      this.forecast = await this.#link.call('edit.forecast', request);
    });
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

const PACK = 'sketch';
const SAVE_QUALITY = 92;
