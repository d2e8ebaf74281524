import type { Cancellation } from '#base/cancellation.js';
import type { Extent } from '#base/geometry.js';
import { remember } from '#base/remember.js';
import type { InstructionReport, Losses, MachineReport, ProviderReport } from '#contract/api.js';
import { endingOf } from '#contract/ending.js';
import { throwIfCancelled } from '#contract/errors.js';
import { lackOf, tooLittleMemory, type Forecast } from '#contract/forecast.js';
import type { Framing } from '#contract/framing.js';
import type { AnyCard } from '#contract/pack-card.js';
import type { ProviderChoice, TokenFile } from '#contract/request.js';
import { traitsOf, wholeGrid } from '#contract/traits.js';
import type { TokenizerFacts, TokenizerReport } from '#contract/tokenizer-report.js';
import { writePhoto } from '#engine/image/files/adapt.js';
import { carryChange } from '#engine/image/files/carry.js';
import { openPhoto, openWithoutPixels, readFacts } from '#engine/image/files/decode.js';
import { allLosses } from '#engine/image/files/losses.js';
import { encodeMask, encodePhoto, type OutputSettings } from '#engine/image/files/encode.js';
import { faded } from '#engine/image/compositing/fade.js';
import { encodeLayers } from '#engine/image/compositing/layers.js';
import { reframed } from '#engine/image/files/reframe.js';
import { photoOfTensor } from '#engine/image/files/tensor-photo.js';
import { openMask } from '#engine/image/working/mask.js';
import { KeptViews, viewWhole } from '#engine/image/working/whole-view.js';
import {
  fittedTo,
  modelExtent,
  withDepth,
  type EditingModel,
  type PipelineEvent,
  type PipelineJob,
  type TokenizerModel,
} from '#engine/pipelines/model.js';
import { LastSeen, previewControl } from '#engine/pipelines/preview-control.js';
import { expectOffered, expectWritableSize, runPipeline } from '#engine/pipelines/pipelines.js';
import { selectObject } from '#engine/pipelines/select-object.js';
import { selectSegment } from '#engine/pipelines/select-segment.js';
import { SourceMemory } from '#engine/pipelines/source-memory.js';
import { WishMemory } from '#engine/pipelines/wish.js';
import { tokenise } from '#engine/pipelines/tokenise.js';
import { reportTokenizer, tokenizerFacts } from '#engine/pipelines/tokenizer-report.js';
import {
  assertFits,
  availableBytes,
  isShort,
  memoryLimitBytes,
  peakRssBytes,
  reclaimLeftOver,
  reclaimMemory,
  spareBytes,
} from '#engine/runtime/memory.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { describeMachine } from '#engine/runtime/describe-machine.js';
import { productsSaturate } from '#engine/runtime/integer-instructions.js';
import { measureGemmRate } from '#engine/runtime/profile.js';
import { listProviders } from '#engine/runtime/providers.js';
import { guidanceOf } from '#engine/sampling/guidance.js';
import { sumOfTokens } from '#engine/sampling/quantiser.js';
import { packTokens, unpackTokens } from '#engine/sampling/tokens.js';
import { floats } from '#engine/tensor/tensor.js';
import type { DepthEstimator, Segmenter } from '#engine/tensor/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import { isOnnxFile } from '#engine/graph/onnx-file.js';
import { inspectFile } from '#engine/families/inspect.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { roundingErrors, type RoundingErrors } from '#engine/weights/rounding-errors.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import {
  asksTwice,
  CostModel,
  openPackBytes,
  PROCESS_BYTES,
  staysMapped,
  tokenizerBytes,
  transformerWork,
  weightBytesOf,
  type TransformerWish,
} from './cost-model.js';
import type {
  BlendWish,
  CarryWish,
  ConvertWish,
  EngineJob,
  InspectReport,
  InstalledPack,
  EncodedLayer,
  EncodedPicture,
  PictureFacts,
  ReadMask,
  SelectJob,
  WriteEvent,
  WriteWork,
} from './engine.js';
import { partsOfCanvas } from './canvas-parts.js';
import { bytesOf, headOf, picturesOf } from './encoded-picture.js';
import { inspectForeign } from './inspect-onnx.js';
import { openDepth, type OpenDepth } from './open-depth.js';
import { openSegmenter, type OpenSegmenter } from './open-segmenter.js';
import { openPack, openTokenizer, type OpenPack } from './open-pack.js';
import type { Opened } from './open-role.js';
import { familyOf } from '#engine/families/list.js';
import { LastPhoto } from './last-photo.js';
import { checkInstruction } from '#engine/families/open-text.js';
import type { AskedEngine } from './wire.js';

/** The engine itself: what the inference process runs. One instance per process, one job at a time. */
export class LocalEngine implements AskedEngine {
  readonly #runners = new Map<string, Promise<Runner>>();
  readonly #packs = new Map<string, Promise<OpenedPack>>();
  readonly #depths = new Map<string, Promise<OpenDepth>>();
  readonly #segmenters = new Map<string, Promise<OpenSegmenter>>();
  #costs: Promise<CostModel> | undefined;
  #gflops: number | null = null;
  readonly #photos = new LastPhoto();
  readonly #seen = new LastSeen();
  readonly #views = new KeptViews();
  readonly #freeBytes: () => number;
  readonly #limitBytes: number;

  /**
   * @param freeBytes what can be taken without swapping; asked before memory is taken.
   * @param limitBytes what this process may have in all.
   */
  constructor(freeBytes: () => number = availableBytes, limitBytes = memoryLimitBytes()) {
    this.#freeBytes = freeBytes;
    this.#limitBytes = limitBytes;
  }

  /** Never throws: the last event is done, failed or cancelled. */
  async *run(job: EngineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
    try {
      yield* this.#run(job, signal);
    } catch (error) {
      yield endingOf(error, signal);
    } finally {
      reclaimLeftOver();
    }
  }

  async *#run(job: EngineJob, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
    this.#photos.forget();
    const started = performance.now();
    const pack = await this.#open(job.pack, job.request.provider, job.memoryLimitBytes);
    const { runner } = pack;
    const model = await this.#withEstimator(pack.model, job);
    const costs = await this.#costModel(runner);
    const loadMs = performance.now() - started;
    const { card } = job.pack;
    const wish = transformerWishOf(job);
    let regions = 1;
    const pipelineJob: PipelineJob = {
      request: job.request,
      pictures: await picturesOf(job),
      model,
      provider: runner.provider,
      loadMs,
      ...(job.probe && { probe: job.probe }),
      views: this.#views,
      sources: pack.sources,
      ...(asksTwice(card, wish) && { wishes: pack.wishes }),
      estimate: (preset, pixels, detailBytes = 0) => {
        const availableBytes = this.#reach(costs.heldBytes(card, true), job.memoryLimitBytes);
        // What fits is asked before a mask is sent: what was said to fit is not refused for the detail behind it.
        const lack = lackOf(costs.forecast(card, { ...wish, pixels, availableBytes }), preset);
        if (lack) throw tooLittleMemory(lack);
        return costs.estimate(card, { ...wish, preset, pixels, detailBytes });
      },
      peakRssBytes,
      isShortOfMemory: () => isShort(this.#freeBytes()),
      reclaimMemory,
    };
    for await (const event of runPipeline(pipelineJob, signal)) {
      if (event.type === 'started') regions = event.plan.regions?.length ?? 1;
      if (event.type === 'done' && event.timingsMs.scales.length > 0) {
        const runs = job.request.count * regions;
        const scalesMs = event.timingsMs.scales.reduce((sum, ms) => sum + ms, 0) / runs;
        const restMs = (event.timingsMs.total - loadMs) / runs - scalesMs;
        costs.learn(card, transformerWork(card, { ...wish, preset: job.request.preset }), {
          scalesMs,
          restMs,
          pixels: event.size.width * event.size.height,
        });
      }
      yield event;
    }
  }

  async forecast(job: EngineJob): Promise<Forecast> {
    const { card } = job.pack;
    const { provider, source } = job.request;
    const picture = source === undefined ? undefined : job.pictures[source];
    await expectWritableSize(job.request, picture && (await headOf(picture)));
    const costs = await this.#costModel(await this.#runner(provider, false));
    const held = costs.heldBytes(card, this.#packs.has(keyOf(job.pack, provider)));
    const { count, pixels } = await partsOfCanvas(job);
    const wish = { ...transformerWishOf(job), pixels, availableBytes: this.#reach(held, job.memoryLimitBytes) };
    return times(count, costs.forecast(card, wish));
  }

  async controlMap(job: EngineJob): Promise<Uint8Array> {
    const { request } = job;
    const pictures = await picturesOf(job);
    const { model } = await this.#open(job.pack, request.provider, job.memoryLimitBytes);
    return previewControl({ request, pictures, views: this.#views, model: await this.#withEstimator(model, job) }, this.#seen);
  }

  async describe(picture: EncodedPicture): Promise<PictureFacts> {
    return readFacts(await headOf(picture));
  }

  async convert(picture: EncodedPicture, { recipe, ...output }: ConvertWish): Promise<Uint8Array> {
    const photo = await openPhoto(await bytesOf(picture));
    return writePhoto(photo, output, recipe);
  }

  async losses(picture: EncodedPicture): Promise<Losses> {
    return allLosses((await openWithoutPixels(await headOf(picture))) ?? (await openPhoto(await bytesOf(picture))));
  }

  async carry({ before, after, onto }: CarryWish): Promise<Uint8Array | null> {
    const open = async (picture: EncodedPicture) => openPhoto(await bytesOf(picture));
    const carried = carryChange({ before: await open(before), after: await open(after), onto: await open(onto) });
    return carried ? encodePhoto(carried, { format: 'png', quality: 100 }) : null;
  }

  async blend({ below, above, opacity, mask }: BlendWish): Promise<Uint8Array> {
    const [under, over] = [await openPhoto(await bytesOf(below)), await openPhoto(await bytesOf(above))];
    const read = mask && (await openMask(await bytesOf(mask), over.extent));
    return encodePhoto(faded(under, over, { opacity, mask: read?.mask }), { format: 'png', quality: 100 });
  }

  async frame(picture: EncodedPicture, framing: Framing): Promise<Uint8Array> {
    return encodePhoto(await reframed(await openPhoto(await bytesOf(picture)), framing), { format: 'png', quality: 100 });
  }

  async readMask(picture: EncodedPicture, size: Extent): Promise<ReadMask> {
    const { mask, notices } = await openMask(await bytesOf(picture), size);
    return { picture: await encodeMask(mask), notices };
  }

  async *select({ picture, pointing, estimator, segmenter }: SelectJob, signal: Cancellation): AsyncGenerator<Uint8Array, void> {
    const photo = await this.#photos.get(picture);
    const depth = estimator && (await this.#depthOf(estimator, 'auto'));
    const model = segmenter && (await this.#segmenterOf(segmenter));
    const mask = model ? selectSegment({ photo, pointing, model }, signal) : selectObject({ photo, pointing, depth }, signal);
    yield await encodeMask(await mask);
  }

  async layers(layers: readonly EncodedLayer[]): Promise<Uint8Array> {
    const read = layers.map(async ({ picture, mask, ...layer }) => ({
      ...layer,
      picture: await bytesOf(picture),
      ...(mask && { mask: await bytesOf(mask) }),
    }));
    return encodeLayers(await Promise.all(read));
  }

  async tokenize(pack: InstalledPack, picture: EncodedPicture): Promise<TokenFile> {
    const bytes = await bytesOf(picture);
    const { size } = await readFacts(bytes);
    return this.#withTokenizer(pack, async (tokenizer) => {
      const model = fittedTo(tokenizer, { shape: size });
      const view = await viewWhole(bytes, { size: modelExtent(model) }, this.#views);
      const { tokens } = await tokenise(model, view.picture);
      return packTokens(pack.card.name, model.quantiser, tokens);
    });
  }

  async decode(pack: InstalledPack, tokens: TokenFile, output: OutputSettings): Promise<Uint8Array> {
    const [rows, columns] = wholeGrid(tokens.schedule, traitsOf(pack.card));
    const grids = { shape: { width: columns, height: rows }, schedule: tokens.schedule };
    const picture = await this.#withTokenizer(pack, (tokenizer) => {
      const { quantiser, coder } = fittedTo(tokenizer, grids);
      const sum = sumOfTokens(quantiser, unpackTokens(tokens, pack.card.name, quantiser)); // (d, G)
      return coder.decode(floats([1, ...sum.dims], sum.data));
    });
    return encodePhoto(photoOfTensor(picture), output);
  }

  async reportTokenizer(pack: InstalledPack, pictures: readonly EncodedPicture[]): Promise<TokenizerReport> {
    const photos = await Promise.all(pictures.map(bytesOf));
    return this.#withTokenizer(pack, (model) => reportTokenizer(model, photos));
  }

  tokenizerFacts(pack: InstalledPack): Promise<TokenizerFacts> {
    return this.#withTokenizer(pack, tokenizerFacts);
  }

  checkInstruction(pack: InstalledPack, instruction: string): Promise<InstructionReport> {
    return Promise.resolve(checkInstruction(pack.card, instruction));
  }

  async providers(): Promise<readonly ProviderReport[]> {
    return listProviders();
  }

  machine(): Promise<MachineReport> {
    return Promise.resolve({ ...describeMachine(), freeBytes: this.#freeBytes(), gflops: this.#gflops });
  }

  async inspect(file: string): Promise<InspectReport> {
    return (await isOnnxFile(file)) ? inspectForeign(file) : inspectFile(file);
  }

  async roundingErrors(file: string): Promise<RoundingErrors | undefined> {
    return (await isOnnxFile(file)) ? undefined : roundingErrors(await openCheckpoint(file), productsSaturate());
  }

  async *writeWeights({ file, ...options }: WriteWork, signal: Cancellation): AsyncGenerator<WriteEvent, void> {
    const writing = writeWeights(await openCheckpoint(file), options);
    try {
      for (let step = await writing.next(); ; step = await writing.next()) {
        if (step.done) {
          yield { written: step.value };
          return;
        }
        throwIfCancelled(signal);
        yield { bytes: step.value };
      }
    } finally {
      await writing.return({ bytes: 0, sha256: '' });
    }
  }

  #runner(provider: ProviderChoice, mapped: boolean): Promise<Runner> {
    return remember(this.#runners, `${provider} ${mapped}`, () => createRunner({ provider, prepack: !mapped, ...threadsSetting() }));
  }

  #costModel(runner: Runner): Promise<CostModel> {
    const costs = this.#costs ?? measureGemmRate(runner).then((rate) => new CostModel((this.#gflops = rate)));
    this.#costs = costs;
    return costs;
  }

  async #open(pack: InstalledPack, provider: ProviderChoice, limitBytes?: number): Promise<OpenedPack> {
    const { card } = pack;
    const key = keyOf(pack, provider);
    const mapped = staysMapped(card);
    // Mapped pages are the system's to take back; copies are not.
    if (!this.#packs.has(key) && !mapped) this.#expectRoom(openPackBytes(card), limitBytes);
    const runner = await this.#runner(provider, mapped);
    return openOnce(this.#packs, key, async () => ({
      ...(await openPack(pack, runner)),
      runner,
      wishes: new WishMemory(),
      sources: new SourceMemory(),
    }));
  }

  /** Opens no transformer, the most of a pack, for what its tokenizer says alone. */
  async #withTokenizer<T>(pack: InstalledPack, use: (model: TokenizerModel) => Promise<T>): Promise<T> {
    const { card } = pack;
    if (this.#packs.has(keyOf(pack, 'cpu'))) return use((await this.#open(pack, 'cpu')).model);
    this.#expectRoom(tokenizerBytes(card));
    const opened = await openTokenizer(pack, await this.#runner('cpu', staysMapped(card)));
    try {
      return await use(opened.model);
    } finally {
      await opened.release();
    }
  }

  /** The model with the depth estimator that the request asks for. */
  async #withEstimator(model: EditingModel, { estimator, request, memoryLimitBytes }: EngineJob): Promise<EditingModel> {
    if (!estimator) return model;
    return withDepth(model, await this.#depthOf(estimator, request.provider, memoryLimitBytes));
  }

  async #depthOf(estimator: InstalledPack<AnyCard>, provider: ProviderChoice, memoryLimitBytes?: number): Promise<DepthEstimator> {
    const { card, folder } = estimator;
    const key = `${provider} ${folder} ${card.version}`;
    const files = card.files.filter(({ role }) => role.startsWith('depth'));
    if (!this.#depths.has(key)) this.#expectRoom(FOREIGN_COPIES * weightBytesOf({ files }), memoryLimitBytes);
    const runner = await this.#runner(provider, false);
    return (await openOnce(this.#depths, key, () => openDepth(estimator, runner))).depth;
  }

  async #segmenterOf({ card, folder }: InstalledPack<AnyCard>): Promise<Segmenter> {
    const key = `${folder} ${card.version}`;
    if (!this.#segmenters.has(key)) this.#expectRoom(FOREIGN_COPIES * weightBytesOf(card));
    const runner = await this.#runner('auto', false);
    return (await openOnce(this.#segmenters, key, () => openSegmenter({ card, folder }, runner))).segmenter;
  }

  /** For weights, before they are opened. */
  #expectRoom(weightBytes: number, limitBytes?: number): void {
    assertFits(PROCESS_BYTES + weightBytes, this.#reach(PROCESS_BYTES, limitBytes));
  }

  /** What this process can have in all, when it holds so much, within what its operator and whoever asks let it have. */
  #reach(heldBytes: number, limitBytes = Number.POSITIVE_INFINITY): number {
    return Math.min(this.#limitBytes, limitBytes, heldBytes + spareBytes(this.#freeBytes()));
  }
}

/** SCALEBRUSH_THREADS: several processes share a machine. Undefined = all of its threads. */
function threadsSetting(): { readonly threads?: number } {
  const threads = Number(process.env['SCALEBRUSH_THREADS']);
  return Number.isInteger(threads) && threads > 0 ? { threads } : {};
}

/** A pack, what runs it, and what was learnt of it. */
type OpenedPack = OpenPack & { readonly runner: Runner; readonly wishes: WishMemory; readonly sources: SourceMemory };

function keyOf({ card, folder }: InstalledPack, provider: ProviderChoice): string {
  return `${provider} ${folder} ${card.name} ${card.version}`;
}

/** A foreign model is held as it was read and as the runtime packed it. */
const FOREIGN_COPIES = 2;

/** What is open, or opened now. Where its files changed since, the run says so once and the next one works. */
async function openOnce<T extends Opened>(opened: Map<string, Promise<T>>, key: string, open: () => Promise<T>): Promise<T> {
  const known = opened.has(key);
  const one = await remember(opened, key, open);
  if (!known) return one;
  try {
    await one.assertUnchanged();
  } catch (error) {
    opened.delete(key);
    await one.release();
    throw error;
  }
  return one;
}

/** So many runs take as much longer, and no more memory. */
function times(count: number, forecast: Forecast): Forecast {
  const all = <C extends { readonly ms: number }>(cost: C): C => ({ ...cost, ms: cost.ms * count });
  const { best, balanced, fast, draft } = forecast;
  return { ...forecast, best: all(best), balanced: all(balanced), fast: all(fast), draft: all(draft) };
}

function transformerWishOf({ pack: { card }, request }: EngineJob): Omit<TransformerWish, 'preset'> {
  expectOffered(card, request);
  const schedule = familyOf(card).schedule?.(card, request);
  return {
    guided: guidanceOf(request, card.defaults, (request.control?.strength ?? 0) > 0).amount !== 1,
    guidanceUntil: request.guidanceUntil,
    previews: request.previews,
    ...(schedule && { schedule }),
  };
}
