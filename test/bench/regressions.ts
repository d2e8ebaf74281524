/** A ratio that got worse by more is named. */
const WORSE = 1.15;

type Better = 'lower' | 'higher';

/** Columns that hold ratios, and which way they should go; where a table has a target for each row, its sign tells. */
const RATIOS: Readonly<Record<string, Better | 'as the target says'>> = {
  ratio: 'as the target says',
  'by the clock': 'as the target says',
  'by processor time': 'as the target says',
  'late scales against best': 'higher',
  'share of GEMM rate': 'higher',
  'previews add': 'lower',
};

interface Cell {
  readonly section: string;
  readonly row: string;
  readonly column: string;
  readonly text: string;
  readonly target: string;
}

/**
 * Ratios of these results that are more than 15 % worse than in the earlier ones, a line each. Both are Markdown as
 * RESULTS.md is; times and memory are not compared, as they belong to a machine.
 */
export function regressions(before: string, after: string): readonly string[] {
  const known = new Map(ratiosIn(before).map((cell) => [keyOf(cell), cell]));
  return ratiosIn(after).flatMap((cell) => {
    const earlier = known.get(keyOf(cell));
    if (!earlier || !isWorse(earlier, cell)) return [];
    return [`**Regression**, ${cell.section}: ${cell.row}, ${cell.column}: ${cell.text}, before ${earlier.text}.`];
  });
}

/** The results with what got worse in them, behind the section that it belongs to. */
export function withRegressions(before: string, after: string): string {
  const named = regressions(before, after);
  return sectionsOf(after)
    .map((section) => {
      const own = named.filter((line) => line.startsWith(`**Regression**, ${titleOf(section)}: `));
      return own.length === 0 ? section : `${section.trimEnd()}\n\n${own.join('\n\n')}\n\n`;
    })
    .join('');
}

function sectionsOf(results: string): readonly string[] {
  return results.split(/^(?=## )/mu);
}

function titleOf(section: string): string {
  const [title = ''] = section.split('\n');
  return title.replace(/^## /u, '');
}

function keyOf({ section, row, column }: Cell): string {
  return [section, row, column].join('\n');
}

function ratiosIn(results: string): readonly Cell[] {
  return sectionsOf(results).flatMap((section) => tablesOf(section).flatMap((table) => cellsOf(titleOf(section), table)));
}

/** Lines of one table each, split into cells. */
function tablesOf(section: string): readonly (readonly (readonly string[])[])[] {
  const blocks = section.split(/\n(?!\|)/u).map((block) => block.split('\n').filter((line) => line.startsWith('|')));
  const cells = (line: string) => line.split('|').slice(1, -1).map((cell) => cell.trim()); // prettier-ignore
  return blocks.map((lines) => lines.map(cells));
}

function cellsOf(section: string, [header = [], , ...rows]: readonly (readonly string[])[]): readonly Cell[] {
  const target = header.indexOf('target');
  return rows.flatMap((row) =>
    header.flatMap((column, i) =>
      column in RATIOS ? [{ section, row: row[0] ?? '', column, text: row[i] ?? '', target: row[target] ?? '' }] : [],
    ),
  );
}

function isWorse(before: Cell, after: Cell): boolean {
  const [was, is] = [numberIn(before.text), numberIn(after.text)];
  const better = betterOf(after);
  if (was === undefined || is === undefined || better === undefined) return false;
  // What differs by a digit of what is printed may be rounding.
  if (Math.abs(is.value - was.value) <= Math.max(was.digit, is.digit) * 1.001) return false;
  return better === 'lower' ? is.value > WORSE * was.value : is.value * WORSE < was.value;
}

function betterOf({ column, target }: Cell): Better | undefined {
  const wanted = RATIOS[column];
  if (wanted !== 'as the target says') return wanted;
  if (target.includes('≥')) return 'higher';
  return target.includes('≤') ? 'lower' : undefined;
}

/** The first number of a cell, and what its last digit is worth. */
function numberIn(text: string): { value: number; digit: number } | undefined {
  const [match] = /\d+(?:\.\d+)?/u.exec(text) ?? [];
  if (match === undefined) return undefined;
  return { value: Number(match), digit: 10 ** -(match.split('.')[1]?.length ?? 0) };
}
