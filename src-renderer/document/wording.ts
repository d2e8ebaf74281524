/** The instruction with every occurrence of a whole word replaced; letter case does not matter. */
export function withWordReplaced(instruction: string, word: string, replacement: string): string {
  const literal = word.replace(/[\\^$.*+?()[\]{}|/-]/gu, '\\$&');
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`, 'giu');
  return instruction.replace(whole, () => replacement);
}

/** The instructions that have every word of a search in them, in any order; all of them where nothing is searched. */
export function matching(instructions: readonly string[], search: string): readonly string[] {
  const words = search
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '');
  return instructions.filter((instruction) => words.every((word) => instruction.toLowerCase().includes(word)));
}
