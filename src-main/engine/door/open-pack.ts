import path from 'node:path';
import type { InstructionReport } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { PackCard, PackFile } from '#contract/pack-card.js';
import { openDepthPyramid } from '../networks/depth-pyramid.js';
import { openInfinity } from '../networks/infinity/predictor.js';
import { openResidualCoder } from '../networks/residual-coder.js';
import { openVqganCoder } from '../networks/vqgan.js';
import type { EditingModel } from '../pipelines/model.js';
import { BitwiseQuantiser } from '../sampling/quantiser.js';
import type { PictureCoder } from '../tensor/predictor.js';
import type { Runner } from '../tensor/runner.js';
import { WordTokenizer } from '../text/words.js';
import type { Checkpoint, FileIdentity } from '../weights/checkpoint.js';
import { Weights } from '../weights/handle.js';
import { assertUnchanged } from '../weights/identity.js';
import { openCheckpoint } from '../weights/open.js';
import type { InstalledPack } from './engine.js';

/** A model together with the files that it stands on. */
export interface OpenPack {
  readonly model: EditingModel;
  /** Refuses to go on with weights that were replaced or cut since they were opened. */
  assertUnchanged(): Promise<void>;
  release(): Promise<void>;
}

/** Opens every graph of a pack on the given runner. */
export async function openPack(pack: InstalledPack, runner: Runner): Promise<OpenPack> {
  const { card } = pack;
  const transformer = await openFile(pack, 'transformer');
  const tokenizer = await openFile(pack, 'tokenizer');
  const depthFile = card.files.some((file) => file.role === 'depth') ? await openFile(pack, 'depth') : undefined;
  const tokenizerWeights = Weights.of(tokenizer);
  const predictor = await openInfinity(runner, Weights.of(transformer), card.config.transformer);
  const coder = await openCoder(runner, tokenizerWeights, card);
  const depth = depthFile && (await openDepthPyramid(runner, Weights.of(depthFile)));
  const quantiser = openQuantiser(card, tokenizerWeights);
  const identities = [transformer, tokenizer, ...(depthFile ? [depthFile] : [])].map((file) => file.identity);
  return {
    model: { card, predictor, coder, quantiser, ...(depth && { depth }), encodeText: textEncoder(card) },
    assertUnchanged: () => assertAllUnchanged(identities),
    async release() {
      await Promise.all([predictor.release(), coder.release(), depth?.release()]);
    },
  };
}

async function openFile(pack: InstalledPack, role: PackFile['role']): Promise<Checkpoint> {
  const entry = pack.card.files.find((file) => file.role === role);
  if (!entry) throw new ExpectedError('pack.damaged', `Expected a ${role} file in the pack "${pack.card.name}" but its card names none.`);
  const checkpoint = await openCheckpoint(path.join(pack.folder, entry.name));
  if (checkpoint.identity.sizeBytes !== entry.bytes) {
    throw new ExpectedError(
      'pack.damaged',
      `Expected ${entry.bytes} bytes in ${entry.name} but received ${checkpoint.identity.sizeBytes}.`,
    );
  }
  return checkpoint;
}

function openCoder(runner: Runner, weights: Weights, card: PackCard): Promise<PictureCoder> {
  return card.config.tokenizer.kind === 'residual' ? openResidualCoder(runner, weights) : openVqganCoder(runner, weights);
}

function openQuantiser(card: PackCard, weights: Weights): BitwiseQuantiser {
  const { scales, patchify } = card.config.transformer;
  const gains = weights.has('gains') ? { gains: [...weights.readFloats('gains')] } : {};
  return new BitwiseQuantiser({ codeBits: card.config.tokenizer.codeBits, schedule: scales, patchify, ...gains });
}

async function assertAllUnchanged(identities: readonly FileIdentity[]): Promise<void> {
  for (const identity of identities) await assertUnchanged(identity);
}

function textEncoder(card: PackCard): EditingModel['encodeText'] {
  const { text } = card.config.transformer;
  if (text.kind === 'features') {
    return () => {
      throw new ExpectedError('pack.unable', `Expected a text encoder in the pack "${card.name}" but it has none.`);
    };
  }
  const tokenizer = new WordTokenizer(text);
  return (instruction) => {
    const { ids, report } = tokenizer.encode(instruction);
    if (report.unknownWords.length > 0 && !report.known) {
      throw new ExpectedError('instruction.unknown-words', unknownWordsSentence(report), {
        details: { ...report },
      });
    }
    return { text: { kind: 'words', ids }, notices: textNotices(report, text.maxWords) };
  };
}

function unknownWordsSentence({ unknownWords, understands }: InstructionReport): string {
  const words = unknownWords.map(({ word }) => `"${word}"`).join(', ');
  const examples = understands.map((example) => `"${example}"`).join(', ');
  return `This pack does not know ${words}${examples === '' ? '.' : `; it understands ${examples}.`}`;
}

function textNotices(report: InstructionReport, maxWords: number): readonly Notice[] {
  const notices: Notice[] = [];
  if (report.cut) notices.push({ code: 'instruction.cut', message: `Only the first ${maxWords} words were used.` });
  if (report.unknownWords.length > 0) {
    notices.push({
      code: 'instruction.unknown-words',
      message: unknownWordsSentence(report),
      details: { unknownWords: report.unknownWords },
    });
  }
  return notices;
}
