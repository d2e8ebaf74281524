import type { InstructionReport, PackInfo, PackSummary, ProviderReport } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Forecast } from '#contract/forecast.js';
import { isDepthCard, type PackCard } from '#contract/pack-card.js';
import type { EditRequestInput, Preset } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import type { Link } from '#link/http.js';
import { Latest } from './latest.js';

/** The middle one of these counts: one that was disturbed does not. */
const LEARNED_RUNS = 5;

interface Run {
  readonly preset: Preset;
  readonly ms: number;
}

/** Brings what a request names only: it costs too much to be done before the question is really asked. */
export type Completion = (request: EditRequestInput) => Promise<EditRequestInput>;

export const unchanged: Completion = (request) => Promise.resolve(request);

/** What the service can say before anything is run: packs, providers, times, and words that the pack does not know. */
export class Advice {
  packs = $state.raw<readonly PackSummary[]>([]);
  /** Those that estimate depth and draw nothing. */
  depthPacks = $state.raw<readonly PackSummary[]>([]);
  /** The one that draws. */
  pack = $state.raw<PackInfo & { readonly card: PackCard }>();
  providers = $state.raw<readonly ProviderReport[]>([]);
  /** What the service told. */
  told = $state.raw<Forecast>();
  /** The same in the light of how long the last runs took. */
  readonly forecast: Forecast | undefined = $derived.by(
    () => this.told && slowed(this.told, slownessOf(this.#learned[this.#kind] ?? [], this.told)),
  );
  wording = $state.raw<InstructionReport>();

  readonly #traits = $derived(this.pack && traitsOf(this.pack.card));

  /** The pack only draws; it edits nothing. */
  readonly draws = $derived(this.#traits?.fills === false);

  /** Its published code shows it whole pictures on a white square, which ours does only where it is asked to. */
  readonly pads = $derived(this.#traits?.padsSource);

  #kind = $state('');
  /** How long the last runs of each kind took, each picture of them. */
  #learned = $state.raw<Readonly<Record<string, readonly Run[]>>>({});

  readonly #link: Link;
  readonly #forecasts = new Latest();
  readonly #wordings = new Latest();

  constructor(link: Link) {
    this.#link = link;
  }

  /** Throws what the service refuses with. */
  async load(packName: string): Promise<void> {
    // Providers are asked one by one, which takes a while: the packs are there before.
    await Promise.all([this.#loadPacks(packName), this.#loadProviders()]);
  }

  async usePack(name: string): Promise<void> {
    const { card, ...pack } = await this.#link.call('packs.info', { name });
    if (isDepthCard(card)) throw new ExpectedError('pack.unable', `Expected a pack that draws but received "${name}".`);
    this.pack = { ...pack, card };
  }

  async #loadPacks(used: string): Promise<void> {
    const packs = await this.#link.call('packs.list', {});
    this.packs = packs.filter(({ family }) => family !== 'depth');
    this.depthPacks = packs.filter(({ family }) => family === 'depth');
    await this.usePack(used);
  }

  async #loadProviders(): Promise<void> {
    this.providers = await this.#link.call('providers.list', {});
  }

  /** Advice that fails leaves its place empty: the run itself will say why it cannot be. */
  expectRun(request: EditRequestInput, complete: Completion = unchanged): void {
    this.#forecasts.ask(
      async () => this.#link.call('edit.forecast', await complete(request)),
      (forecast) => {
        this.#kind = kindOf(request);
        this.told = forecast;
      },
    );
  }

  /** A run took so long, each picture of it: the machine may be busy, or faster than it was. */
  learn(request: EditRequestInput, ms: number): void {
    if (ms <= 0) return;
    const kind = kindOf(request);
    const last = [...(this.#learned[kind] ?? []), { preset: request.preset ?? 'balanced', ms }].slice(-LEARNED_RUNS);
    this.#learned = { ...this.#learned, [kind]: last };
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

/** Runs of one kind take alike. */
function kindOf({ task, pack = '', provider = 'auto', size, margins }: EditRequestInput): string {
  return JSON.stringify([task, pack, provider, size, margins]);
}

/** Beside what the service tells now: it has learnt from the same runs, in its own way. */
function slownessOf(runs: readonly Run[], told: Forecast): number {
  const sorted = runs.map(({ preset, ms }) => ms / told[preset].ms).sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 1;
}

function slowed(forecast: Forecast, by: number): Forecast {
  const cost = (preset: Preset) => ({ ...forecast[preset], ms: forecast[preset].ms * by });
  return { ...forecast, best: cost('best'), balanced: cost('balanced'), fast: cost('fast'), draft: cost('draft') };
}
