import type { Extent, Grid } from '#base/geometry.js';
import type { ControlArConfig, InfinityCard, PackCard } from '#contract/pack-card.js';
import { traitsOf } from '#contract/traits.js';
import { nearestRatio, oneMegapixelSchedule as publishedSchedule } from '#engine/networks/infinity/ratios.js';
import { openObjectFinder } from '#engine/networks/object-finder.js';
import { openInfinity } from '#engine/networks/infinity/predictor.js';
import { openResidualCoder } from '#engine/networks/residual-coder.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { EditingModel } from '#engine/pipelines/model.js';
import { openControlAr } from '#engine/networks/controlar/predictor.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { RasterQuantiser } from '#engine/sampling/raster-quantiser.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import type { InstalledPack } from './engine.js';
import { openDepth } from './open-depth.js';
import { assertAllUnchanged, hasRole, openRole, type Opened } from './open-role.js';
import { openText } from './open-text.js';

/** A model together with the files that it stands on. */
export interface OpenPack extends Opened {
  readonly model: EditingModel;
}

/** Opens every graph of a pack on the given runner. */
export async function openPack(pack: InstalledPack, runner: Runner): Promise<OpenPack> {
  const { card } = pack;
  const [transformer, tokenizer] = [await openRole(pack, 'transformer'), await openRole(pack, 'tokenizer')];
  const textFile = hasRole(card, 'text') ? await openRole(pack, 'text') : undefined;
  const networks = await openNetworks(card, { transformer: transformer.weights, tokenizer: tokenizer.weights }, runner);
  const depth = hasRole(card, 'depth') ? await openDepth(pack, runner) : undefined;
  const objects = hasRole(card, 'objects') ? await openRole(pack, 'objects') : undefined;
  const finder = objects && (await openObjectFinder(runner, objects.weights));
  const encodeText = await openText(pack, runner, textFile?.weights);
  const identities = [transformer, tokenizer, textFile, objects].flatMap((role) => role?.identities ?? []);
  return {
    model: modelOf(networks, { card, encodeText, ...(depth && { depth: depth.depth }), ...(finder && { objects: finder }) }),
    async assertUnchanged() {
      await assertAllUnchanged(identities);
      await depth?.assertUnchanged();
    },
    async release() {
      await Promise.all([networks.predictor.release(), networks.coder.release(), depth?.release(), finder?.release()]);
    },
  };
}

/** Fitted to another shape, it is a model of its own with the same text and depth. */
function modelOf({ fitted, ...networks }: Networks, rest: Pick<EditingModel, 'card' | 'encodeText' | 'depth' | 'objects'>): EditingModel {
  const own = { ...networks, ...rest };
  return fitted ? { ...own, fitted: (shape) => modelOf(fitted(shape), rest) } : own;
}

interface PackWeights {
  readonly transformer: Weights;
  readonly tokenizer: Weights;
}

type Networks = Pick<EditingModel, 'predictor' | 'coder' | 'quantiser'> & { readonly fitted?: (shape: Extent) => Networks };

async function openNetworks(card: PackCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  if (card.family === 'var') {
    const { config } = card;
    return {
      predictor: await openVar(runner, transformer, config.transformer),
      coder: await openVqganCoder(runner, tokenizer, { attention: true }),
      quantiser: vectorQuantiser(config.transformer.scales, tokenizer.at('quantize')),
    };
  }
  if (card.family === 'controlar') {
    const { config } = card;
    const predictor = await openControlAr(runner, transformer, config.transformer);
    const coder = await openVqganCoder(runner, tokenizer, { attention: true });
    const codebook = Codebook.ofDirections(codesIn(tokenizer.at('quantize')));
    const on = (schedule: ControlArConfig['scales']): Networks => ({
      predictor: predictor.fitted(schedule),
      coder,
      quantiser: new RasterQuantiser({ schedule, codebook }),
      fitted: (shape) => on(rowsFor(shape, config.transformer.scales)),
    });
    return on(config.transformer.scales);
  }
  return openInfinityPack(card, { transformer, tokenizer }, runner);
}

async function openInfinityPack(card: InfinityCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  const { config } = card;
  const predictor = await openInfinity(runner, transformer, config.transformer);
  const coder = await (config.tokenizer.kind === 'residual' ? openResidualCoder : openVqganCoder)(runner, tokenizer);
  const own = { predictor, coder, quantiser: bitwiseQuantiser(config, tokenizer) };
  // Only published weights were trained on other shapes than the square.
  if (!traitsOf(card).anyShape) return own;
  const on = (shape: Extent): Networks => {
    const ratio = nearestRatio(shape);
    const scales = publishedSchedule(ratio).slice(0, config.transformer.scales.length);
    const grids = {
      scales: scales.map(([rows, columns]): [number, number] => [rows, columns]),
      rotary: { kind: 'published' as const, ratio },
    };
    const fitted = { ...config, transformer: { ...config.transformer, ...grids } };
    return { predictor: predictor.fitted(grids), coder, quantiser: bitwiseQuantiser(fitted, tokenizer), fitted: on };
  };
  return { ...own, fitted: on };
}

/** More rows than a token file can name are never made. */
const MAX_ROWS = 64;

/** About as many tokens as the square has, in the shape of the picture. */
function rowsFor({ width, height }: Extent, square: ControlArConfig['scales']): ControlArConfig['scales'] {
  const side = square.length;
  const rows = Math.min(MAX_ROWS, Math.max(1, Math.round(side * Math.sqrt(height / width))));
  const columns = Math.max(1, Math.floor(side ** 2 / rows));
  return Array.from({ length: rows }, () => [1, columns]);
}

function bitwiseQuantiser({ transformer, tokenizer }: InfinityCard['config'], weights: Weights): BitwiseQuantiser {
  const gains = weights.has('gains') ? { gains: [...weights.readFloats('gains')] } : {};
  return new BitwiseQuantiser({ codeBits: tokenizer.codeBits, schedule: transformer.scales, patchify: transformer.patchify, ...gains });
}

/** The codebook and φ of a published VAR tokenizer. */
export function vectorQuantiser(schedule: readonly Grid[], weights: Weights): VectorQuantiser {
  const filters = weights.at('quant_resi', 'qresi_ls');
  return new VectorQuantiser({
    schedule,
    codebook: new Codebook(codesIn(weights)),
    filters: filters.children().map((name) => ({
      weight: filters.at(name).readFloats('weight'),
      bias: filters.at(name).readFloats('bias'),
    })),
  });
}

/** The codes of a vector-quantised tokenizer, `[V, d]`. */
export function codesIn(weights: Weights): FloatTensor {
  return floats(weights.shape('embedding.weight'), weights.readFloats('embedding.weight'));
}
