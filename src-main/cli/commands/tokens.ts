import { basename } from 'node:path';
import { at } from '#base/assert.js';
import { numberedName } from '#base/file-name.js';
import { ExpectedError } from '#contract/errors.js';
import { packNotice } from '#contract/recipe.js';
import { DEFAULT_PACK, partsOf, type TokenFile } from '#contract/request.js';
import { readPictureFile, saveFile } from '#service/files.js';
import { JSON_OPTION, parseCommandLine, required } from '../arguments.js';
import type { Command, Context } from '../command.js';
import { expectOutputs, formatOf } from '../places.js';
import { shownName } from '#service/names.js';
import { saveJson } from '../run-task.js';
import { readTokenFile } from '../token-file.js';

/** A picture as tokens. */
export const tokenizeCommand: Command = {
  name: 'tokenize',
  summary: 'write the tokens of a picture',
  usage: 'Usage: scalebrush tokenize IN --tokens-out FILE [--pack NAME] [--json]',
  run: tokenize,
};

/** Tokens as a picture; needs no sampling, so the result never depends on a seed. */
export const decodeCommand: Command = {
  name: 'decode',
  summary: 'make a picture of tokens',
  usage: 'Usage: scalebrush decode TOKENS.json|PICTURE -o OUT [--json]\n\nOf a picture, those in its recipe.',
  run: decode,
};

async function tokenize(args: readonly string[], context: Context): Promise<number> {
  const options = { ...JSON_OPTION, 'tokens-out': { type: 'string' }, pack: { type: 'string', default: DEFAULT_PACK } } as const;
  const { values, positionals } = parseCommandLine({ args, options, positionals: ['IN'] });
  const [input = ''] = positionals;
  const output = required(values['tokens-out'], '--tokens-out FILE');
  await expectOutputs([output], [input]);
  const bytes = await readPictureFile(input, 'IN');
  const service = await context.service();
  const source = await service.pictures.add(bytes, basename(input));
  const tokens = await service.call('tokens.make', { pack: values.pack, source: source.id });
  await saveJson(output, tokens);
  if (values.json) context.print(JSON.stringify({ output, ...source.size, ...tokens }));
  return 0;
}

async function decode(args: readonly string[], context: Context): Promise<number> {
  const options = { ...JSON_OPTION, output: { type: 'string', short: 'o' } } as const;
  const { values, positionals } = parseCommandLine({ args, options, positionals: ['TOKENS.json'] });
  const [input = ''] = positionals;
  const output = required(values.output, '-o OUT');
  const format = formatOf(output);
  await expectOutputs([output], [input]);
  const parts = partsOf(await tokensIn(input, context));
  const outputs = parts.map((_, part) => numberedName(output, part, parts.length));
  await expectOutputs(outputs, [input]);
  const service = await context.service();
  const decoded = await Promise.all(parts.map((tokens) => service.call('tokens.decode', { tokens, format })));
  for (const [part, { id }] of decoded.entries()) await saveFile(at(outputs, part), (await service.pictures.get(id)).bytes);
  const rest = { ...at(decoded, 0).size, pack: at(parts, 0).pack, ...(parts.length > 1 && { outputs }) };
  if (values.json) context.print(JSON.stringify({ output: at(outputs, 0), ...rest }));
  return 0;
}

/** A token file, or a picture that carries its own. */
async function tokensIn(path: string, context: Context): Promise<TokenFile> {
  const bytes = await readPictureFile(path, 'TOKENS');
  // By content, whatever the file is called: no picture begins like JSON.
  if (/^\s*[[{]/u.test(Buffer.from(bytes.subarray(0, 64)).toString('latin1'))) return readTokenFile(path);
  const { pictures, library } = await context.service();
  const { recipe } = await pictures.add(bytes, basename(path));
  if (recipe?.tokens) {
    const { card } = await library.find(recipe.tokens.pack);
    const strange = packNotice(recipe, card);
    if (strange) context.log(`note: ${strange.message}`);
    return recipe.tokens;
  }
  throw new ExpectedError('tokens.invalid', `Expected tokens in the recipe of ${shownName(path)} but it has none.`);
}
