import type { Networks } from '#engine/families/family.js';
import { familyOf } from '#engine/families/list.js';
import { openText } from '#engine/families/open-text.js';
import { openObjectFinder } from '#engine/networks/object-finder.js';
import type { EditingModel } from '#engine/pipelines/model.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { InstalledPack } from './engine.js';
import { openDepth } from './open-depth.js';
import { assertAllUnchanged, hasRole, openRole, type Opened } from './open-role.js';

/** A model together with the files that it stands on. */
export interface OpenPack extends Opened {
  readonly model: EditingModel;
}

/** Opens every graph of a pack on the given runner. */
export async function openPack(pack: InstalledPack, runner: Runner): Promise<OpenPack> {
  const { card } = pack;
  const [transformer, tokenizer] = [await openRole(pack, 'transformer'), await openRole(pack, 'tokenizer')];
  const textFile = hasRole(card, 'text') ? await openRole(pack, 'text') : undefined;
  const adapter = hasRole(card, 'adapter') ? await openRole(pack, 'adapter') : undefined;
  const weights = { transformer: transformer.weights, tokenizer: tokenizer.weights, adapter: adapter?.weights };
  const networks = await familyOf(card).open(card, weights, runner);
  const depth = hasRole(card, 'depth') ? await openDepth(pack, runner) : undefined;
  const objects = hasRole(card, 'objects') ? await openRole(pack, 'objects') : undefined;
  const finder = objects && (await openObjectFinder(runner, objects.weights));
  const encodeText = await openText(pack, runner, textFile);
  const identities = [transformer, tokenizer, adapter, textFile, objects].flatMap((role) => role?.identities ?? []);
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
  return fitted ? { ...own, fitted: (fit) => modelOf(fitted(fit), rest) } : own;
}
