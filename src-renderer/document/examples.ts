import type { PackCard } from '#contract/pack-card.js';
import type { LanguageTag } from '#contract/preferences.js';
import { traitsOf } from '#contract/traits.js';

/** The scenes that can be tried without a photo. */
export type SceneName = 'car' | 'house' | 'tree';

/** What each of them can be asked for: the built-in model knows its things. */
const OF_SCENE: Readonly<Record<SceneName, string>> = { car: 'make the car blue', house: 'make it night', tree: 'remove the star' };
/** Light and colour can be changed in any photograph. */
const OF_PHOTO = 'make it warmer';
const FROM_WORDS = 'a house by a lake at dusk';

/** The same for models that read German too. */
const IN_GERMAN: Readonly<Record<string, string>> = {
  'make the car blue': 'mach das Auto blau',
  'make it night': 'mach es Nacht',
  'remove the star': 'entferne den Stern',
  'make it warmer': 'mach es wärmer',
  'make it look like night': 'lass es wie Nacht aussehen',
  'black and white': 'schwarz und weiß',
};

/** What is open, and who looks at it. */
export interface Occasion {
  readonly scene: SceneName | undefined;
  readonly language: LanguageTag;
}

/** Small vocabularies are read in German too; what other models read is English. */
export function readsGerman(card: PackCard | undefined): boolean {
  return card !== undefined && textOf(card)?.kind === 'words';
}

/** An instruction that the model can follow on what is open. */
export function exampleFor(card: PackCard | undefined, { scene, language }: Occasion): string {
  const example = englishFor(card, scene);
  return language === 'de' && readsGerman(card) ? (IN_GERMAN[example] ?? example) : example;
}

function englishFor(card: PackCard | undefined, scene: SceneName | undefined): string {
  const text = card && textOf(card);
  if (text?.kind === 'classes') return text.names[0]?.split(',')[0] ?? '';
  if (card && !traitsOf(card).seesSource) return FROM_WORDS;
  if (scene) return OF_SCENE[scene];
  return photoExamplesOf(card)?.[0] ?? OF_PHOTO;
}

/** Of the instructions that a model names itself, those that do well on what is open. */
export function fittingExamples(all: readonly string[], card: PackCard | undefined, { scene, language }: Occasion): readonly string[] {
  const fitting = (scene || all.length === 0 ? undefined : photoExamplesOf(card)) ?? all;
  return language === 'de' && readsGerman(card) ? fitting.map((example) => IN_GERMAN[example] ?? example) : fitting;
}

function photoExamplesOf(card: PackCard | undefined): readonly string[] | undefined {
  const text = card && textOf(card);
  return text?.kind === 'words' ? text.photoExamples : undefined;
}

function textOf({ config: { transformer } }: PackCard) {
  return 'text' in transformer ? transformer.text : undefined;
}
