import { numberedName } from '#base/file-name.js';
import type { Task } from '#contract/request.js';
import { parseCommandLine, required } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { framed, framingOf } from '../framing.js';
import { COMMON_HELP } from '../help.js';
import { expectOutputs, formatOf, makeFolder } from '../places.js';
import { openPictures, stillClosed, withPictures } from '../request-pictures.js';
import { runTask, type Destinations } from '../run-task.js';
import { controlOf, copyOf, optionsOf, requestOf, sayDrawnSeed, type TaskValues } from '../task-options.js';
import { readTokenFile } from '../token-file.js';

type DrawingTask = Exclude<Task, 'control'>;

/** Instruction edit, optionally held to a mask. */
export const editCommand = taskCommand('edit', {
  positionals: ['IN'],
  summary: 'change a picture by instruction',
  usage: 'scalebrush edit IN -i TEXT [-m MASK] [--whole] [--padded] -o OUT',
});

/** In-painting: white parts of the mask are repainted. */
export const fillCommand = taskCommand('fill', {
  positionals: ['IN'],
  summary: 'repaint the white parts of a mask',
  usage: 'scalebrush fill IN -m MASK [-i TEXT] [--whole] -o OUT',
});

/** Out-painting: new border in pixels of the source. */
export const expandCommand = taskCommand('expand', {
  positionals: ['IN'],
  summary: 'continue a picture beyond its edges',
  usage: 'scalebrush expand IN [--left PX] [--right PX] [--top PX] [--bottom PX] [-i TEXT] -o OUT',
});

/** A new picture; IN is looked at only for its edges or depth. */
export const generateCommand = taskCommand('generate', {
  positionals: ['IN?'],
  summary: 'make a picture from words, a control map, or both',
  usage: 'scalebrush generate [IN] [-i TEXT | --class NAME] [--control canny|depth|MAP] [--size WxH] -o OUT',
});

interface TaskText {
  readonly positionals: readonly string[];
  readonly summary: string;
  readonly usage: string;
}

function taskCommand(task: DrawingTask, { positionals, summary, usage }: TaskText): Command {
  return {
    name: task,
    summary,
    usage: `Usage: ${usage}\n${COMMON_HELP}`,
    run: (args, context) => {
      const parsed = parseCommandLine({ args, options: optionsOf(task), positionals });
      return runParsed({ task, values: parsed.values, source: parsed.positionals[0] }, context);
    },
  };
}

interface ParsedTask {
  readonly task: DrawingTask;
  readonly values: TaskValues;
  readonly source: string | undefined;
}

async function runParsed({ task, values, source }: ParsedTask, context: Context): Promise<number> {
  const destinations = destinationsOf(values);
  const wish = requestOf(task, values, formatOf(destinations.output));
  sayDrawnSeed(values, wish, context);
  const control = controlOf(values);
  const copy = copyOf(values);
  const framing = framingOf(values);
  const files = { source, mask: values.mask, map: control?.mapPath, copy: copy?.path };
  await prepareOutputs(destinations, { count: wish.count ?? 1, inputs: [...Object.values(files), values['force-tokens']] });
  const forceTokens = values['force-tokens'] === undefined ? undefined : await readTokenFile(values['force-tokens']);
  const service = await context.service();
  // Before pictures are opened, which starts the inference process: a wish that is refused costs nothing.
  service.checkStream('edit.run', withPictures(wish, stillClosed(files), { control, copy }));
  const opened = await framed(await openPictures(files, context), framing, service);
  const request = withPictures(wish, opened, { control, copy });
  const report = await runTask({ request, destinations, forceTokens }, context);
  if (values.json === true) context.print(JSON.stringify(report));
  return 0;
}

function destinationsOf(values: TaskValues): Destinations {
  const output = required(values.output, '-o OUT');
  return { output, previews: values.previews, tokens: values['tokens-out'], logits: values['logits-out'] };
}

/** Everything that can be refused for its place is refused before the long work. */
async function prepareOutputs(
  destinations: Destinations,
  { count, inputs }: { count: number; inputs: readonly (string | undefined)[] },
): Promise<void> {
  const single = [destinations.output, destinations.tokens].filter((path) => path !== undefined);
  // A bad count is the contract's to refuse; here it must only not run away.
  const indices = Array.from({ length: Math.min(Math.max(Math.trunc(count), 1), 16) }, (_, index) => index);
  const outputs = single.flatMap((path) => indices.map((index) => numberedName(path, index, indices.length)));
  await expectOutputs(
    outputs,
    inputs.filter((path) => path !== undefined),
  );
  for (const folder of [destinations.previews, destinations.logits]) if (folder !== undefined) await makeFolder(folder);
}
