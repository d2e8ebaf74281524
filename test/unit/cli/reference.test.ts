import path from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '#cli/run.js';
import { batchOptions, optionsOf, TASK_OPTIONS } from '#cli/task-options.js';

const usageOf = (wanted: string): string => COMMANDS.find(({ name }) => name === wanted)?.usage ?? '';

test('the reference of the command line says what the program says', async () => {
  const commands = COMMANDS.map(({ name, summary, usage }) => `## ${name}\n\n${summary}\n\n\`\`\`\n${usage.trim()}\n\`\`\`\n`);
  const head =
    '# The command line\n\nWhat `scalebrush COMMAND --help` prints, command by command; `npx vitest run test/unit/cli -u` renews it.\n';
  await expect([head, ...commands].join('\n')).toMatchFileSnapshot(path.resolve('docs/cli.md'));
});

test.each(['edit', 'fill', 'expand', 'generate'] as const)('%s tells of every option that it takes', (task) => {
  const untold = Object.entries(optionsOf(task)).filter(
    ([name, { short }]) =>
      ![`--${name}`, ...(short === undefined ? [] : [` -${short} `, `[-${short} `])].some((told) => usageOf(task).includes(told)),
  );
  expect(untold).toEqual([]);
});

test('every option is one of a task or of a batch', () => {
  const taken = new Set([
    ...(['edit', 'fill', 'expand', 'generate'] as const).flatMap((task) => Object.keys(optionsOf(task))),
    ...Object.keys(batchOptions()),
  ]);
  expect(Object.keys(TASK_OPTIONS).filter((name) => !taken.has(name))).toEqual([]);
});
