import type { Weights } from '#engine/weights/handle.js';

/** Tensors below a module by their names, each with the dimensions that it must have. */
export type Layout = Readonly<Record<string, readonly number[]>>;

/** Throws `weights.refused` naming the first tensor that is missing or misshapen. */
export function expectLayout(module: Weights, layout: Layout): void {
  for (const [name, dims] of Object.entries(layout)) module.expectShape(name, dims);
}

/** Linear layers without a bias, `[out, in]` each. */
export function matrices(layers: Readonly<Record<string, readonly [outputs: number, inputs: number]>>): Layout {
  return Object.fromEntries(Object.entries(layers).map(([name, dims]) => [`${name}.weight`, dims]));
}

/** Linear layers with a bias. Without one they would run, too, and draw something else. */
export function dense(layers: Readonly<Record<string, readonly [outputs: number, inputs: number]>>): Layout {
  const biases = Object.entries(layers).map(([name, [outputs]]) => [`${name}.bias`, [outputs]] as const);
  return { ...matrices(layers), ...Object.fromEntries(biases) };
}

/** Norms of one width, with weight and bias. */
export function affine(width: number, ...names: readonly string[]): Layout {
  return Object.fromEntries(names.flatMap((name) => ['weight', 'bias'].map((part) => [`${name}.${part}`, [width]])));
}

/** Norms of one width that only scale. */
export function scaling(width: number, ...names: readonly string[]): Layout {
  return Object.fromEntries(names.map((name) => [`${name}.weight`, [width]]));
}
