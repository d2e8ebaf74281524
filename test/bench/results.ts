import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const RESULTS = path.resolve('test/bench/RESULTS.md');
/** What comes behind all that `npm run bench` measures. */
const BY_HAND = '## Published sizes';

/** Puts a section, which begins with its title, in the place of the one that was there. */
export async function writeSection(lines: readonly string[]): Promise<void> {
  const section = `${lines.join('\n').trim()}\n\n`;
  const title = section.slice(0, section.indexOf('\n'));
  const others = (await readFile(RESULTS, 'utf8')).split(/^(?=## )/mu).filter((text) => !text.startsWith(`${title}\n`));
  const at = others.findIndex((text) => text.startsWith(BY_HAND));
  await writeFile(RESULTS, others.toSpliced(at, 0, section).join(''));
  process.stdout.write(`\n${section}`);
}
