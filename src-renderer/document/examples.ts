import type { PackCard } from '#contract/pack-card.js';
import { traitsOf } from '#contract/traits.js';

/** The scenes that can be tried without a photo. */
export type SceneName = 'car' | 'house' | 'tree';

/** What each of them can be asked for: the built-in model knows its things. */
const OF_SCENE: Readonly<Record<SceneName, string>> = { car: 'make the car blue', house: 'make it night', tree: 'remove the star' };
/** Light and colour can be changed in any photograph. */
const OF_PHOTO = 'make it warmer';
const FROM_WORDS = 'a house by a lake at dusk';

/** An instruction that the model can follow on what is open. */
export function exampleFor(card: PackCard | undefined, scene: SceneName | undefined): string {
  const text = card && textOf(card);
  if (text?.kind === 'classes') return text.names[0]?.split(',')[0] ?? '';
  if (card && !traitsOf(card).seesSource) return FROM_WORDS;
  if (scene) return OF_SCENE[scene];
  return photoExamplesOf(card)?.[0] ?? OF_PHOTO;
}

/** Of the instructions that a model names itself, those that do well on what is open. */
export function fittingExamples(all: readonly string[], card: PackCard | undefined, scene: SceneName | undefined): readonly string[] {
  return (scene || all.length === 0 ? undefined : photoExamplesOf(card)) ?? all;
}

function photoExamplesOf(card: PackCard | undefined): readonly string[] | undefined {
  const text = card && textOf(card);
  return text?.kind === 'words' ? text.photoExamples : undefined;
}

function textOf({ config: { transformer } }: PackCard) {
  return 'text' in transformer ? transformer.text : undefined;
}
