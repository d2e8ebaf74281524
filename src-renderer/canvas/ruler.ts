export interface RulerMark {
  /** In screen pixels. */
  readonly at: number;
  /** In picture pixels. */
  readonly value: number;
}

const STEPS = [1, 2, 5] as const;
/** Room for a number of five digits. */
const LEAST_PX = 56;

/** The marks of a ruler along one side: round numbers, no nearer than can be read. */
export function rulerMarks(zoom: number, offset: number, length: number): readonly RulerMark[] {
  const step = stepFor(zoom);
  const marks: RulerMark[] = [];
  for (let value = Math.ceil(-offset / zoom / step) * step; value * zoom + offset <= length; value += step) {
    marks.push({ at: value * zoom + offset, value: value === 0 ? 0 : value });
  }
  return marks;
}

function stepFor(zoom: number): number {
  for (let power = 1; ; power *= 10) {
    const step = STEPS.find((each) => each * power * zoom >= LEAST_PX);
    if (step !== undefined) return step * power;
  }
}
