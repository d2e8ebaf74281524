import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { regressions, withRegressions } from '../../bench/regressions.js';

const pixels = (ratio: string) => `# Bench

## Pixels

Processor time.

| | measured | ratio | target |
|---|---|---|---|
| whole picture | 0.69 : 0.22 s | ${ratio} | ≤ 3 |

## Other

Nothing.
`;

const farm = (clock: string, processor: string) => `## The farm

| | by the clock | by processor time | target |
|---|---|---|---|
| two workers : one | ${clock} (1.42–1.52) | ${processor} | ≥ 1.8 |
| two processes : one | ${clock} | ${processor} | what the machine gives |
`;

describe('a ratio that got worse', () => {
  test('is named where it should be low and grew by more than 15 %', () => {
    expect(regressions(pixels('3.00'), pixels('3.44'))).toEqual([]);
    expect(regressions(pixels('3.00'), pixels('3.46'))).toEqual(['**Regression**, Pixels: whole picture, ratio: 3.46, before 3.00.']);
    expect(regressions(pixels('3.00'), pixels('1.00'))).toEqual([]);
  });

  test('is named where it should be high and fell, and not where there is no target', () => {
    expect(regressions(farm('1.489', '2.0'), farm('1.2', '1.9'))).toEqual([
      '**Regression**, The farm: two workers : one, by the clock: 1.2 (1.42–1.52), before 1.489 (1.42–1.52).',
    ]);
  });

  test('is told from the last digit of what was printed', () => {
    const share = (percent: number) => `## Presets\n\n| preset | previews add |\n|---|---|\n| best | ${percent} % |\n`;
    expect(regressions(share(5), share(6))).toEqual([]);
    expect(regressions(share(5), share(7))).toHaveLength(1);
  });

  test('stands behind its own section, and in what was written before it counts for nothing', () => {
    const named = withRegressions(pixels('3.00'), pixels('4.00'));
    expect(named).toContain('| ≤ 3 |\n\n**Regression**, Pixels: whole picture, ratio: 4.00, before 3.00.\n\n## Other');
    expect(regressions(named, pixels('4.00'))).toEqual([]);
    expect(withRegressions(pixels('3.00'), pixels('3.00'))).toBe(pixels('3.00'));
  });

  test('is looked for in every section of the results that has ratios', () => {
    const results = readFileSync('test/bench/RESULTS.md', 'utf8');
    const worse = results.replaceAll(
      /\b(\d+\.\d\d)( \| ≤)/gu,
      (_, ratio: string, end: string) => `${(Number(ratio) * 2).toFixed(2)}${end}`,
    );
    expect(regressions(results, worse).some((line) => line.includes(', Pixels: '))).toBe(true);
    expect(regressions(results, worse).some((line) => line.includes(', The farm: '))).toBe(true);
    const slower = results.replaceAll(/\| (\d\.\d\d)× \|/gu, '| 0.10× |');
    expect(regressions(results, slower).some((line) => line.includes(', Presets: '))).toBe(true);
  });

  test('is looked for at true sizes, too, which are measured by themselves and told again by the rest', () => {
    const sizes = (memory: string, anonymous: string, speed: string) => `## True sizes

Random weights.

| | measured | ratio | target |
|---|---|---|---|
| VAREdit-8B, int4, 512 px: peak RSS : 10 GB | 9.1 GB, forecast 9.4 GB | ${memory} | ≤ 1 |
| VAREdit-8B, int4, 512 px: anonymous memory : 8 GB | 7.0 GB, forecast 9.4 GB | ${anonymous} | ≤ 1 |
| VAR-d16, ten scales: PyTorch fp32 : int8 | 3180 : 1400 ms | ${speed} | ≥ 2.1 |
`;
    const before = sizes('0.91', '0.70', '2.27');
    expect(regressions(before, sizes('1.00', '0.79', '2.00'))).toEqual([]);
    expect(regressions(before, sizes('1.10', '0.85', '1.90'))).toEqual([
      '**Regression**, True sizes: VAREdit-8B, int4, 512 px: peak RSS : 10 GB, ratio: 1.10, before 0.91.',
      '**Regression**, True sizes: VAREdit-8B, int4, 512 px: anonymous memory : 8 GB, ratio: 0.85, before 0.70.',
      '**Regression**, True sizes: VAR-d16, ten scales: PyTorch fp32 : int8, ratio: 1.90, before 2.27.',
    ]);
    // As `npm run bench` has it: the section stands in the new results as it was.
    expect(regressions(`${pixels('3.00')}\n${before}`, `${pixels('3.00')}\n${before}`)).toEqual([]);
  });
});
