import imagenetNames from './imagenet-names.json' with { type: 'json' };

/** The words for the classes of a model: ImageNet's where it has as many, else their numbers. */
export function classesNamed(classes: number): { kind: 'classes'; names: string[] } {
  const names = classes === imagenetNames.length ? imagenetNames : Array.from({ length: classes }, (_, index) => `class ${index}`);
  return { kind: 'classes', names };
}
