import { ExpectedError } from '#contract/errors.js';
import type { ControlInput } from '#engine/tensor/predictor.js';
import { output } from '#engine/tensor/runner.js';
import { floatData, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { poolRows } from '../area.js';
import type { InfinitySessions } from './sessions.js';

// C width · l tokens of a scale

/** What is added to the tokens of one scale, by the name of the step graph's input: `control_i` `[l, C]`. */
export type ScaleControl = Readonly<Record<string, FloatTensor>>;

/** Control features per scale; undefined at scales that are not held. */
export type ControlFeatures = readonly (ScaleControl | undefined)[];

/**
 * Encodes a control picture once for all scales that it holds. Undefined where it would change nothing:
 * no strength, or a map whose flags are all off.
 */
export async function encodeControl(sessions: InfinitySessions, control: ControlInput): Promise<ControlFeatures | undefined> {
  const { config } = sessions.architecture;
  const names = config.control?.channels;
  if (!names) throw new ExpectedError('pack.unable', 'Expected a pack that takes control pictures but this one does not.');
  const amount = presence(control.map, names) * control.strength;
  if (amount <= 0) return undefined;
  const encoder = await sessions.controlEncoder(names.length);
  const features = floatData(output(await encoder.run({ map: control.map }), 'features')); // (n, C)
  return fuse(sessions, { features, amount, control });
}

interface Fusing {
  readonly features: Float32Array; // (n, C)
  readonly amount: number; // 0..1
  readonly control: ControlInput;
}

async function fuse(sessions: InfinitySessions, { features, amount, control }: Fusing): Promise<ControlFeatures> {
  const { config, finest } = sessions.architecture;
  const fusing = await sessions.controlFuse();
  const perScale: (ScaleControl | undefined)[] = [];
  for (const [scale, grid] of config.scales.entries()) {
    const held = scale >= control.fromScale && scale <= control.toScale;
    if (!held) {
      perScale.push(undefined);
      continue;
    }
    const pooled = floats([grid[0] * grid[1], config.width]);
    poolRows({ rows: features, width: config.width }, { from: finest, to: grid }, pooled.data);
    const outputs = await fusing.run({ features: pooled, amount: floats([], Float32Array.of(amount)) });
    perScale.push(outputs as ScaleControl);
  }
  return perScale;
}

/**
 * Every kind of control comes with a flag channel that says whether it is there: the odd channels.
 * Their largest values, summed and cut at 1, scale the whole control, so an absent one adds nothing.
 */
function presence(map: FloatTensor, names: readonly string[]): number {
  const plane = map.data.length / names.length;
  let sum = 0;
  for (let channel = 1; channel < names.length; channel += 2) {
    const flags = map.data.subarray(channel * plane, (channel + 1) * plane);
    sum += flags.reduce((most, value) => Math.max(most, value), 0);
  }
  return Math.min(1, sum);
}
