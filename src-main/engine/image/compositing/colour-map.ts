import type { Planes } from '#engine/image/colour/colour.js';

// x a colour before, y after · n samples

/** One channel of a map: `curve(weights · x + offset)`, a straight line where there is no curve. */
export interface Tone {
  readonly weights: readonly [number, number, number];
  readonly offset: number;
  /** Knots at equal distances over 0..1, joined by straight lines that go on beyond both ends. */
  readonly curve?: Float32Array;
}

/** What becomes of a colour, wherever it stands (a linear–nonlinear cascade per channel; Wiener 1958). */
export interface ColourMap {
  readonly tones: readonly [Tone, Tone, Tone];
}

/** Colours before and after, each `[n]` planes in 0..1 sRGB. */
export interface ColourPairs {
  readonly before: Planes;
  readonly after: Planes;
}

/** Whether the map leaves no colour. */
export function isGray({ tones: [red, green, blue] }: ColourMap): boolean {
  return red === green && green === blue;
}

/** The sample's place on the tone's line. */
export function along({ weights, offset }: Tone, [red, green, blue]: Planes, i: number): number {
  return weights[0] * red[i]! + weights[1] * green[i]! + weights[2] * blue[i]! + offset;
}

/** The piece of the curve over `t`, and how far into it; beyond the ends it is the last piece, gone on with. */
export function pieceOf(t: number, knots: number): { readonly knot: number; readonly part: number } {
  const scaled = t * (knots - 1);
  const knot = Math.min(knots - 2, Math.max(0, Math.floor(scaled)));
  return { knot, part: scaled - knot };
}

/** The curve at `t`. */
export function bent(curve: Float32Array, t: number): number {
  const scaled = t * (curve.length - 1);
  const knot = Math.min(curve.length - 2, Math.max(0, Math.floor(scaled)));
  return curve[knot]! + (scaled - knot) * (curve[knot + 1]! - curve[knot]!);
}

/** The mapped colours of `before` into `after`, unclamped. */
export function applyMap({ tones }: ColourMap, before: Planes, after: Planes): void {
  tones.forEach((tone, c) => {
    const target = after[c]!;
    const { curve } = tone;
    for (let i = 0; i < target.length; i++) {
      const t = along(tone, before, i);
      target[i] = curve ? bent(curve, t) : t;
    }
  });
}
