import { ExpectedError } from '#contract/errors.js';
import type { PackSummary } from '#contract/api.js';
import { isDrawingCard } from '#contract/pack-card.js';
import type { TokenizerFacts } from '#contract/tokenizer-report.js';
import type { Engine } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';

/** Steps of a pixel: machines whose last bits differ note the same, for a pack is known by its card (farm). */
const STEPS = 4;

/** Notes in the card of a new pack what its tokenizer keeps; where that cannot be measured here, the pack goes without. */
export async function withTokenizerFacts(
  { engine, library }: { readonly engine: Pick<Engine, 'tokenizerFacts'>; readonly library: Library },
  pack: PackSummary,
): Promise<PackSummary> {
  const { card, folder } = await library.findAny(pack.name);
  if (!isDrawingCard(card) || card.resolves !== undefined) return pack;
  try {
    await keepTokenizerFacts(library, pack.name, await engine.tokenizerFacts({ card, folder }));
  } catch (error) {
    // Too little memory for it, or weights that only a run refuses: neither is a reason to take the import back.
    if (!(error instanceof ExpectedError)) throw error;
  }
  return pack;
}

export async function keepTokenizerFacts(library: Library, name: string, { resolves, lettersFromPx }: TokenizerFacts): Promise<void> {
  await library.keepTokenizerFacts(name, { resolves: Math.round(resolves * STEPS) / STEPS, lettersFromPx });
}
