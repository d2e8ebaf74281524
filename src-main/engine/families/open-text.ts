import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { InstructionReport } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { PackCard } from '#contract/pack-card.js';
import { openT5Encoder } from '#engine/networks/t5-encoder.js';
import type { Runner } from '#engine/tensor/runner.js';
import { ClassNames } from '#engine/text/classes.js';
import { T5Tokenizer } from '#engine/text/t5-tokenizer.js';
import { WordTokenizer } from '#engine/text/words.js';
import type { EncodeText, TextParts } from './family.js';
import { familyOf } from './list.js';
import { promptReader } from './prompt-reader.js';
import type { InstalledPack } from './report.js';

type TextConfig = PackCard['config']['transformer']['text'];
type TextOf<K extends TextConfig['kind']> = Extract<TextConfig, { kind: K }>;

/**
 * How a pack reads instructions: as words of its own vocabulary, as the name of a class, or through text encoders.
 *
 * @param encoders the pack's files of those, where it has any.
 */
export async function openText(
  pack: InstalledPack,
  runner: Runner,
  encoders: Pick<TextParts, 'weights' | 'files'> | undefined,
): Promise<EncodeText> {
  const { card } = pack;
  const { text } = card.config.transformer;
  if (text.kind === 'classes') return classReader(text);
  if (text.kind === 'words') return wordReader(text);
  // Such a pack can still tokenize and decode.
  if (!encoders) return () => Promise.reject(withoutEncoder(card));
  const family = familyOf(card);
  const parts = { ...encoders, readTokenizer: () => readTokenizer(pack) };
  const reader = await (family.openText?.(card, parts, runner) ?? openT5Text(text, parts, runner));
  return (instruction) => reader(family.prompt?.(instruction, card) ?? instruction);
}

async function openT5Text(text: TextOf<'features'>, { weights, readTokenizer }: TextParts, runner: Runner): Promise<EncodeText> {
  const [width = 0] = weights.shape('encoder.final_layer_norm.weight');
  if (width !== text.width)
    throw new ExpectedError('weights.refused', `Expected a text encoder ${text.width} wide but received one of ${width}.`);
  return promptReader(new T5Tokenizer(await readTokenizer(), text.maxTokens), async (ids) => {
    // Needed for a moment and larger than most transformers: opened, asked, and let go.
    const encoder = await openT5Encoder(runner, weights);
    return { kind: 'features', features: await encoder.encode(ids).finally(() => encoder.release()) };
  });
}

function withoutEncoder({ name }: PackCard): ExpectedError {
  return new ExpectedError('pack.unable', `Expected a text encoder in the pack "${name}" but it has none.`);
}

async function readTokenizer({ card, folder }: InstalledPack): Promise<unknown> {
  const entry = card.files.find(({ role }) => role === 'text-tokenizer');
  if (!entry) throw withoutEncoder(card);
  try {
    return JSON.parse(await readFile(path.join(folder, entry.name), 'utf8')) as unknown;
  } catch (cause) {
    throw new ExpectedError('pack.damaged', `Expected JSON in ${entry.name} of the pack "${card.name}" but it cannot be read.`, { cause });
  }
}

/** No words at all stand for no class. */
function classReader(text: TextOf<'classes'>): EncodeText {
  const [names, none] = [new ClassNames(text.names), text.names.length];
  return (instruction) => {
    if (instruction.trim() === '') return Promise.resolve({ text: { kind: 'class', index: none }, notices: [] });
    const { index, report } = names.find(instruction);
    if (index === undefined) return Promise.reject(notUnderstood(report));
    return Promise.resolve({ text: { kind: 'class', index }, notices: [] });
  };
}

function wordReader(text: TextOf<'words'>): EncodeText {
  const tokenizer = new WordTokenizer(text);
  return (instruction) => {
    const { ids, report } = tokenizer.encode(instruction);
    if (report.negated) return Promise.reject(negated());
    if (report.unknownWords.length > 0 && !report.known) return Promise.reject(notUnderstood(report));
    return Promise.resolve({ text: { kind: 'words', ids }, notices: wordNotices(report, text.maxWords) });
  };
}

/** What a pack would make of an instruction. */
export function checkInstruction({ config }: PackCard, instruction: string): InstructionReport {
  const { text } = config.transformer;
  if (text.kind === 'words') return new WordTokenizer(text).encode(instruction).report;
  if (text.kind === 'classes' && instruction.trim() !== '') return new ClassNames(text.names).find(instruction).report;
  return { unknownWords: [], understands: [], known: true, cut: false };
}

function notUnderstood(report: InstructionReport): ExpectedError {
  return new ExpectedError('instruction.unknown-words', unknownWordsSentence(report), { details: { ...report } });
}

function negated(): ExpectedError {
  const message = 'Expected what should change but the instruction says what should not, and this pack would do just that.';
  return new ExpectedError('instruction.negated', message);
}

function unknownWordsSentence({ unknownWords, understands }: InstructionReport): string {
  const words = unknownWords.map(({ word }) => `"${word}"`).join(', ');
  const examples = understands.map((example) => `"${example}"`).join(', ');
  return `This model does not know ${words}${examples === '' ? '.' : `; it understands ${examples}.`}`;
}

function wordNotices(report: InstructionReport, maxWords: number): readonly Notice[] {
  const notices: Notice[] = [];
  if (report.cut) notices.push({ code: 'instruction.cut', message: `Only the first ${maxWords} words were used.` });
  if (report.unknownWords.length > 0) {
    const message = unknownWordsSentence(report);
    notices.push({ code: 'instruction.unknown-words', message, details: { unknownWords: report.unknownWords } });
  }
  return notices;
}
