import type { InstructionReport, PackInfo, PackSummary, ProviderReport } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Forecast } from '#contract/forecast.js';
import { drawsPictures, isDrawingCard, type PackCard } from '#contract/pack-card.js';
import type { EditRequestInput } from '#contract/request.js';
import { traitsOf, type Steps } from '#contract/traits.js';
import type { PageLink } from '#link/http.js';
import { Latest } from './latest.js';

/** Brings what a request names only: it costs too much to be done before the question is really asked. */
export type Completion = (request: EditRequestInput) => Promise<EditRequestInput>;

export const unchanged: Completion = (request) => Promise.resolve(request);

/** What the service can say before anything is run: packs, providers, times, and words that the pack does not know. */
export class ServiceInfo {
  packs = $state.raw<readonly PackSummary[]>([]);
  /** Those that estimate depth and draw nothing. */
  depthPacks = $state.raw<readonly PackSummary[]>([]);
  /** The one that draws. */
  pack = $state.raw<PackInfo & { readonly card: PackCard }>();
  providers = $state.raw<readonly ProviderReport[]>([]);
  /** It has learnt from the last runs. */
  forecast = $state.raw<Forecast>();
  wording = $state.raw<InstructionReport>();

  readonly #traits = $derived(this.pack && traitsOf(this.pack.card));

  /** The pack only draws; it edits nothing. */
  readonly draws = $derived(this.#traits?.fills === false);

  /** It never saw a picture, and draws from words alone. */
  readonly drawsFromWords = $derived(this.#traits?.seesSource === false);

  /** What it draws a picture in. */
  readonly steps: Steps = $derived(this.#traits?.steps ?? 'scales');

  /** It draws a whole picture anew from its own first scales on. */
  readonly refines = $derived(this.#traits?.refines === true);

  /** Whether what is least certain of a scale can be drawn again, and whether it was made for that. */
  readonly redraws = $derived(this.#traits?.redraws);

  /** In how many scales, and at which sides, it may be asked to draw; undefined where that is not for the user to choose. */
  readonly scaleCounts = $derived(this.#traits?.scaleCounts);
  readonly modelSides = $derived(this.#traits?.modelSides);

  /** Its published code shows it whole pictures on a white square, which ours does only where it is asked to. */
  readonly pads = $derived(this.#traits?.padsSource);

  readonly #link: PageLink;
  readonly #forecasts = new Latest();
  readonly #wordings = new Latest();

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** Throws what the service refuses with. */
  async load(packName: string): Promise<void> {
    // Providers are asked one by one, which takes a while: the packs are there before.
    await Promise.all([this.#loadPacks(packName), this.#loadProviders()]);
  }

  async usePack(name: string): Promise<void> {
    const { card, ...pack } = await this.#link.call('packs.info', { name });
    if (!isDrawingCard(card)) throw new ExpectedError('pack.unable', `Expected a pack that draws but received "${name}".`);
    this.pack = { ...pack, card };
  }

  async #loadPacks(used: string): Promise<void> {
    const packs = await this.#link.call('packs.list', {});
    this.packs = packs.filter(drawsPictures);
    this.depthPacks = packs.filter(({ family }) => family === 'depth');
    await this.usePack(used);
  }

  async #loadProviders(): Promise<void> {
    this.providers = await this.#link.call('providers.list', {});
  }

  /** An answer that fails leaves its place empty: the run itself will say why it cannot be. */
  expectRun(request: EditRequestInput, complete: Completion = unchanged): void {
    this.#forecasts.ask(
      async () => this.#link.call('edit.forecast', await complete(request)),
      (forecast) => (this.forecast = forecast),
    );
  }

  readInstruction(pack: string, instruction: string): void {
    if (instruction.trim() === '') {
      this.#wordings.forget();
      this.wording = undefined;
      return;
    }
    this.#wordings.ask(
      () => this.#link.call('instruction.check', { pack, instruction }),
      (wording) => (this.wording = wording),
    );
  }
}
