import { NEVER_CANCELLED } from '#base/cancellation.js';
import { runScales, type ScalePlan, type ScaleStep } from '#engine/sampling/scale-loop.js';

/** All steps of a run, to its end. */
export async function run(plan: ScalePlan): Promise<ScaleStep[]> {
  const steps: ScaleStep[] = [];
  for await (const step of runScales(plan, NEVER_CANCELLED)) steps.push(step);
  return steps;
}
