import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withRegressions } from './regressions.js';

const RESULTS = path.resolve('test/bench/RESULTS.md');
/** What comes behind all that `npm run bench` measures. */
const BY_HAND = '## Published sizes';

/** Puts a section, which begins with its title, in the place of the one that was there. */
export async function writeSection(lines: readonly string[]): Promise<void> {
  const section = `${lines.join('\n').trim()}\n\n`;
  const title = section.slice(0, section.indexOf('\n'));
  const before = await readFile(RESULTS, 'utf8');
  const sections = before.split(/^(?=## )/mu);
  const at = sections.findIndex((text) => text.startsWith(`${title}\n`));
  const named = withRegressions(before, section);
  const known = at >= 0;
  const place = known ? at : sections.findIndex((text) => text.startsWith(BY_HAND));
  await writeFile(RESULTS, sections.toSpliced(place, known ? 1 : 0, named).join(''));
  process.stdout.write(`\n${named}`);
}

/** A section as it was measured last; empty where it never was. */
export async function sectionSoFar(title: string): Promise<string> {
  const sections = (await readFile(RESULTS, 'utf8')).split(/^(?=## )/mu);
  return `\n${sections.find((text) => text.startsWith(`${title}\n`)) ?? ''}`.trimEnd();
}

/** All sections anew; what got worse in any of them is named there. */
export async function writeResults(text: string): Promise<void> {
  const named = withRegressions(await readFile(RESULTS, 'utf8'), text);
  await writeFile(RESULTS, named);
  process.stdout.write(named);
}
