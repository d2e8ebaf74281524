import { ColourModel } from './colour-model.js';
import type { RegionGraph } from './region-graph.js';

/** Pixels that a superpixel shows of itself, and superpixels at most that colours are learnt from. */
const [SHOWN, LEARNT] = [3, 700];
const FEWEST = 12;

/** The pixels of a graph from which colours are learnt: a few of every superpixel. */
export class RegionColours {
  readonly #graph: RegionGraph;
  readonly #shown: readonly (readonly number[])[];

  constructor(graph: RegionGraph) {
    this.#graph = graph;
    const members = Array.from({ length: graph.count }, (): number[] => []);
    graph.labels.forEach((label, pixel) => members[label]!.push(pixel));
    this.#shown = members.map((pixels) => [0, 1, 2].map((k) => pixels[Math.trunc(((k + 0.5) * pixels.length) / SHOWN)]!));
  }

  /** Colours of the superpixels that `wanted` takes; none where they are too few. */
  of(wanted: (v: number) => boolean): ColourModel | undefined {
    const meant = this.#shown.filter((_, v) => wanted(v));
    const stride = Math.max(1, meant.length / LEARNT);
    const taken = Array.from({ length: Math.floor(meant.length / stride) }, (_, i) => meant[Math.trunc(i * stride)]!);
    const pixels = taken.flat();
    return pixels.length >= FEWEST ? new ColourModel(this.#graph.planes, pixels) : undefined;
  }
}
