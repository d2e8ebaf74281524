/** The instruction with every occurrence of a whole word replaced; letter case does not matter. */
export function withWordReplaced(instruction: string, word: string, replacement: string): string {
  const literal = word.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'giu');
  return instruction.replace(whole, () => replacement);
}
