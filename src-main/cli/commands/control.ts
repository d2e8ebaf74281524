import { basename } from 'node:path';
import { DEFAULT_PACK, type EditRequestInput } from '#contract/request.js';
import { readPictureFile } from '#service/files.js';
import { JSON_OPTION, parseCommandLine, required, wordOf, type OptionTable } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { expectOutputs, formatOf } from '../places.js';
import { runTask } from '../run-task.js';
import { mapSettingsOf } from '../task-options.js';

const OPTIONS = {
  ...JSON_OPTION,
  output: { type: 'string', short: 'o' },
  low: { type: 'string' },
  high: { type: 'string' },
  blur: { type: 'string' },
  near: { type: 'string' },
  far: { type: 'string' },
  invert: { type: 'boolean', default: false },
  pack: { type: 'string' },
} as const satisfies OptionTable;

const USAGE = `Usage: scalebrush control canny|depth IN -o MAP [--low 100 --high 200 --blur 0] [--near 1 --far 0] [--invert]

Writes the edges or the depth of a picture as a gray picture, as "--control MAP" takes it.

Options:
  --low N, --high N  thresholds of canny (default 100 and 200)
  --blur S           sigma in pixels of a blur before edges are looked for (default 0)
  --near N, --far F  shares of the depth, 0..1, that count as nearest and farthest (default 1 and 0)
  --invert           swap black and white
  --pack NAME        whose depth estimator to use (default ${DEFAULT_PACK}), such as an imported depth model
  --json             print one JSON object with facts and timings`;

/** Control maps as files. */
export const controlCommand: Command = { name: 'control', summary: 'write the edges or the depth of a picture', usage: USAGE, run };

async function run(args: readonly string[], context: Context): Promise<number> {
  const { values, positionals } = parseCommandLine({ args, options: OPTIONS, positionals: ['canny or depth', 'IN'] });
  const [word = '', input = ''] = positionals;
  const kind = wordOf(word, ['canny', 'depth'], 'the kind of map');
  const output = required(values.output, '-o MAP');
  const format = formatOf(output);
  await expectOutputs([output], [input]);
  const service = await context.service();
  const source = await service.pictures.add(await readPictureFile(input, 'IN'), basename(input));
  const request: EditRequestInput = {
    task: 'control',
    source: source.id,
    control: { kind, ...mapSettingsOf(values), ...(values.pack !== undefined && { estimator: values.pack }) },
    previews: false,
    output: { format },
  };
  const report = await runTask({ request, destinations: { output } }, context);
  if (values.json) context.print(JSON.stringify(report));
  return 0;
}
