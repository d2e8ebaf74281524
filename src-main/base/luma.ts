/** Shares of red, green and blue in how bright a pixel looks, of values as they are stored. ITU-R BT.601. */
export const LUMA = [0.299, 0.587, 0.114] as const;
const [RED, GREEN, BLUE] = LUMA;

export function luma(red: number, green: number, blue: number): number {
  return RED * red + GREEN * green + BLUE * blue;
}
