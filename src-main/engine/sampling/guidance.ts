import type { Grid } from '#base/geometry.js';
import type { PackCard } from '#contract/pack-card.js';
import type { EditRequest } from '#contract/request.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';

// B rows (0 with what guides, 1 without) · l tokens · n logits per token

/** Classifier-free guidance on logits, `l · n` values: guidance·conditional + (1 − guidance)·unconditional. */
export function guide(logits: FloatTensor, guidance: number): Float32Array {
  const [rows = 1] = logits.dims;
  const size = logits.data.length / rows;
  const conditional = logits.data.subarray(0, size);
  if (rows === 1 || guidance === 1) return conditional;
  const unconditional = logits.data.subarray(size, 2 * size);
  const guided = new Float32Array(size);
  // A loop, for millions of logits: a callback for each takes ten times as long.
  for (let i = 0; i < size; i++) guided[i] = guidance * conditional[i]! + (1 - guidance) * unconditional[i]!;
  return guided;
}

export interface Guidance {
  /** 1 = none. */
  readonly amount: number;
  /** What row 1 goes without. */
  readonly by: 'instruction' | 'control';
}

/** Guidance that is asked for is by the instruction; a pack may have some of its own by a control map that `isHeld`. */
export function guidanceOf(
  { guidance }: Pick<EditRequest, 'guidance'>,
  { guidance: always, controlGuidance }: PackCard['defaults'],
  isHeld: boolean,
): Guidance {
  if (isHeld && guidance === undefined && controlGuidance !== undefined) return { amount: controlGuidance, by: 'control' };
  return { amount: guidance ?? always, by: 'instruction' };
}

/** Guidance at every scale. VAR's grows from none (1) at the first scale to the wish at the last. */
export function guidancePerScale(guidance: number, scales: number, ramp: 'constant' | 'linear'): readonly number[] {
  if (ramp === 'constant') return Array.from({ length: scales }, () => guidance);
  return Array.from({ length: scales }, (_, k) => 1 + ((guidance - 1) * k) / Math.max(1, scales - 1));
}

/** FlexVAR's guidance has grown to the wish within so many scales, and goes on growing while grids stay as large as it was trained on. */
const RAMP_SCALES = 10;
const TRAINED_SIDE = 16;

/** Guidance at every scale of a schedule, however the pack's authors let it grow. */
export function guidanceOn(schedule: readonly Grid[], guidance: number, ramp: PackCard['defaults']['guidanceRamp']): readonly number[] {
  if (ramp !== 'ten scales') return guidancePerScale(guidance, schedule.length, ramp);
  const last = Math.max(1, Math.min(schedule.length, RAMP_SCALES) - 1);
  // Published for squares only; other shapes are drawn on grids of about as many tokens.
  const isLarge = ([rows, columns]: Grid) => rows === columns && rows > TRAINED_SIDE;
  return schedule.map((grid, k) => (isLarge(grid) ? guidance : 1 + ((guidance - 1) * k) / last));
}

/** None (1) behind scale `until` (1-based): late scales add what is fine, and without guidance they cost half. */
export function endedAfter(guidance: readonly number[], until = guidance.length): readonly number[] {
  return guidance.map((value, scale) => (scale < until ? value : 1));
}
