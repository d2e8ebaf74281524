/** Numbers of a layer's rows at the last scale, in each of the two: those of VAREdit-2B at 512 pixels. */
const MOST_NUMBERS = 1024 * 2048;

/**
 * Up to so many tokens of the last scale, both rows of guidance go through a transformer of that width at once. Of more they
 * take turns: half the working room, and less time than together.
 */
export function mostTokensTogether(width: number): number {
  return Math.floor(MOST_NUMBERS / width);
}
