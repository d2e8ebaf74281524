import { sampleCount, type Extent } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

/** A channel of the waves: turns across, turns down and phase. Their ratios are odd, so that no colour keeps company with another. */
const WAVES = [
  { across: 1, down: 0.3, phase: 0 },
  { across: 0.4, down: 1.3, phase: 1 },
  { across: -0.9, down: 1, phase: 2 },
] as const;
/** How often the hues fade to gray and back from left to right. */
const FADES = 3;

type ColourAt = (x: number, y: number, channel: number) => number;

/**
 * Pictures that span the colours, smooth enough for any tokenizer and without a thing in them: what an instruction does to
 * them it does to colours. Hues by lightness, the same upside down (so that nothing is bright because it is at the top),
 * and waves. Each `[1, 3, height, width]` in 0..1 sRGB.
 */
export function referencePictures(extent: Extent): readonly FloatTensor[] {
  return [hues, upsideDown, waves].map((colourAt) => painted(extent, colourAt));
}

function hues(x: number, lightness: number, channel: number): number {
  const saturation = 0.5 + 0.5 * Math.cos(2 * Math.PI * FADES * x);
  const room = 2 * Math.min(lightness, 1 - lightness);
  return lightness + 0.5 * saturation * room * Math.cos(2 * Math.PI * (x - channel / 3));
}

function upsideDown(x: number, y: number, channel: number): number {
  return hues(x, 1 - y, channel);
}

function waves(x: number, y: number, channel: number): number {
  const { across, down, phase } = WAVES[channel]!;
  return 0.5 + 0.5 * Math.sin(2 * Math.PI * (across * x + down * y) + phase);
}

function painted({ width, height }: Extent, colourAt: ColourAt): FloatTensor {
  const picture = floats([1, 3, height, width]);
  const pixels = sampleCount({ width, height });
  for (let i = 0; i < picture.data.length; i++) {
    const [channel, pixel] = [Math.trunc(i / pixels), i % pixels];
    const value = colourAt(((pixel % width) + 0.5) / width, (Math.trunc(pixel / width) + 0.5) / height, channel);
    picture.data[i] = Math.min(1, Math.max(0, value));
  }
  return picture;
}
