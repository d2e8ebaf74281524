import type { PackCard } from '#contract/pack-card.js';
import type { PictureTokenizer, TokenPredictor } from '#engine/families/family.js';
import { familyOf } from '#engine/families/list.js';
import { openText } from '#engine/families/open-text.js';
import { openObjectFinder } from '#engine/networks/object-finder.js';
import type { EditingModel, Fit, TokenizerModel } from '#engine/pipelines/model.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { InstalledPack } from './engine.js';
import { openDepth } from './open-depth.js';
import { assertAllUnchanged, hasRole, openRole, type Opened } from './open-role.js';

/** A model together with the files that it stands on. */
export interface OpenPack extends Opened {
  readonly model: EditingModel;
}

export interface OpenTokenizer extends Opened {
  readonly model: TokenizerModel;
}

/** Opens every graph of a pack on the given runner. */
export async function openPack(pack: InstalledPack, runner: Runner): Promise<OpenPack> {
  const { card } = pack;
  const [transformer, tokenizer] = [await openRole(pack, 'transformer'), await openRole(pack, 'tokenizer')];
  const textFile = hasRole(card, 'text') ? await openRole(pack, 'text') : undefined;
  const adapter = hasRole(card, 'adapter') ? await openRole(pack, 'adapter') : undefined;
  const family = familyOf(card);
  const halves: Halves = {
    predictor: await family.openPredictor(card, { transformer: transformer.weights, adapter: adapter?.weights }, runner),
    tokenizer: await family.openTokenizer(card, tokenizer.weights, runner),
  };
  const depth = hasRole(card, 'depth') ? await openDepth(pack, runner) : undefined;
  const objects = hasRole(card, 'objects') ? await openRole(pack, 'objects') : undefined;
  const finder = objects && (await openObjectFinder(runner, objects.weights));
  const encodeText = await openText(pack, runner, textFile);
  const identities = [transformer, tokenizer, adapter, textFile, objects].flatMap((role) => role?.identities ?? []);
  return {
    model: modelOf(halves, { card, encodeText, ...(depth && { depth: depth.depth }), ...(finder && { objects: finder }) }),
    async assertUnchanged() {
      await assertAllUnchanged(identities);
      await depth?.assertUnchanged();
    },
    async release() {
      await Promise.all([halves.predictor.predictor.release(), halves.tokenizer.coder.release(), depth?.release(), finder?.release()]);
    },
  };
}

/** Opens the half of a pack that turns pictures into tokens and back. */
export async function openTokenizer(pack: InstalledPack, runner: Runner): Promise<OpenTokenizer> {
  const { card } = pack;
  const { weights, identities } = await openRole(pack, 'tokenizer');
  const tokenizer = await familyOf(card).openTokenizer(card, weights, runner);
  return {
    model: tokenizerOf(tokenizer, card),
    assertUnchanged: () => assertAllUnchanged(identities),
    release: () => tokenizer.coder.release(),
  };
}

function tokenizerOf({ fitted, ...tokenizer }: PictureTokenizer, card: PackCard): TokenizerModel {
  const own = { ...tokenizer, card };
  return fitted ? { ...own, fitted: (fit) => tokenizerOf(fitted(fit), card) } : own;
}

interface Halves {
  readonly tokenizer: PictureTokenizer;
  readonly predictor: TokenPredictor;
}

/** Fitted to another shape, it is a model of its own with the same text and depth. Either half may be the same then. */
function modelOf({ tokenizer, predictor }: Halves, rest: Pick<EditingModel, 'card' | 'encodeText' | 'depth' | 'objects'>): EditingModel {
  const { coder, quantiser } = tokenizer;
  const own = { predictor: predictor.predictor, coder, quantiser, ...rest };
  if (!predictor.fitted && !tokenizer.fitted) return own;
  const on = (fit: Fit): Halves => ({
    tokenizer: tokenizer.fitted?.(fit) ?? tokenizer,
    predictor: predictor.fitted?.(fit) ?? predictor,
  });
  return { ...own, fitted: (fit) => modelOf(on(fit), rest) };
}
