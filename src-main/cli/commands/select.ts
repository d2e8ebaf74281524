import { basename } from 'node:path';
import { expectGoing } from '#contract/ending.js';
import type { Pointing } from '#contract/selection.js';
import { readPictureFile, saveFile } from '#service/files.js';
import { parseCommandLine, refused, required, type OptionTable } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { expectOutputs } from '../places.js';

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  at: { type: 'string' },
  box: { type: 'string' },
} as const satisfies OptionTable;

const USAGE = `Usage: scalebrush select IN --at X,Y -o MASK.png
       scalebrush select IN --box X,Y,WIDTHxHEIGHT -o MASK.png

Writes the object that is pointed at as a mask, white where it is, as "-m MASK" takes it.

Options:
  --at X,Y               a place in the object, in pixels from the upper left corner
  --box X,Y,WIDTHxHEIGHT a box around the object`;

/** An object as a mask. */
export const selectCommand: Command = { name: 'select', summary: 'write the object at a place as a mask', usage: USAGE, run };

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = parseCommandLine({ args, options: OPTIONS, positionals: ['IN'] });
  const [input = ''] = positionals;
  const pointing = pointingOf(values);
  const output = required(values.output, '-o MASK.png');
  await expectOutputs([output], [input]);
  const service = await context.service();
  const { id: source } = await service.pictures.add(await readPictureFile(input, 'IN'), basename(input));
  for await (const event of service.stream('object.select', { source, pointing }, context.signal)) {
    const { mask } = expectGoing(event);
    await saveFile(output, (await service.pictures.get(mask.id)).bytes);
  }
  return 0;
}

function pointingOf({ at, box }: { readonly at?: string | undefined; readonly box?: string | undefined }): Pointing {
  if (at !== undefined && box !== undefined) throw refused('Expected --at or --box but received both.');
  if (box === undefined) {
    const [x = 0, y = 0] = numbersOf(/^(\d+),(\d+)$/u, at, '--at X,Y');
    return { at: { x, y } };
  }
  const [x = 0, y = 0, width = 0, height = 0] = numbersOf(/^(\d+),(\d+),(\d+)x(\d+)$/u, box, '--box X,Y,WIDTHxHEIGHT');
  return { box: { x, y, width, height } };
}

function numbersOf(pattern: RegExp, text: string | undefined, option: string): readonly number[] {
  const found = pattern.exec(text ?? '');
  if (!found) throw refused(`Expected ${option} but received ${text ?? 'nothing'}.`);
  return found.slice(1).map(Number);
}
