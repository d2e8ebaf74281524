import path from 'node:path';
import type { Grid } from '#base/geometry.js';
import type { InstructionReport } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { InfinityCard, PackCard, PackFile, TransformerConfig, VarConfig } from '#contract/pack-card.js';
import { openDepthPyramid } from '../networks/depth-pyramid.js';
import { openInfinity } from '../networks/infinity/predictor.js';
import { openResidualCoder } from '../networks/residual-coder.js';
import { openVar } from '../networks/var/predictor.js';
import { openVqganCoder } from '../networks/vqgan.js';
import type { EditingModel } from '../pipelines/model.js';
import { BitwiseQuantiser } from '../sampling/bitwise-quantiser.js';
import { VectorQuantiser } from '../sampling/vector-quantiser.js';
import type { Runner } from '../tensor/runner.js';
import { floats } from '../tensor/tensor.js';
import { ClassNames } from '../text/classes.js';
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
  const networks = await openNetworks(card, { transformer: Weights.of(transformer), tokenizer: Weights.of(tokenizer) }, runner);
  const depth = depthFile && (await openDepthPyramid(runner, Weights.of(depthFile)));
  const identities = [transformer, tokenizer, ...(depthFile ? [depthFile] : [])].map((file) => file.identity);
  return {
    model: { card, ...networks, ...(depth && { depth }) },
    assertUnchanged: () => assertAllUnchanged(identities),
    async release() {
      await Promise.all([networks.predictor.release(), networks.coder.release(), depth?.release()]);
    },
  };
}

interface PackWeights {
  readonly transformer: Weights;
  readonly tokenizer: Weights;
}

type Networks = Pick<EditingModel, 'predictor' | 'coder' | 'quantiser' | 'encodeText'>;

async function openNetworks(card: PackCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  if (card.family === 'var') {
    const { config } = card;
    return {
      predictor: await openVar(runner, transformer, config.transformer),
      coder: await openVqganCoder(runner, tokenizer, { attention: true }),
      quantiser: vectorQuantiser(config.transformer.scales, tokenizer.at('quantize')),
      encodeText: classEncoder(config.transformer),
    };
  }
  const { config } = card;
  return {
    predictor: await openInfinity(runner, transformer, config.transformer),
    coder: await (config.tokenizer.kind === 'residual' ? openResidualCoder : openVqganCoder)(runner, tokenizer),
    quantiser: bitwiseQuantiser(config, tokenizer),
    encodeText: textEncoder(card.name, config.transformer.text),
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

function bitwiseQuantiser({ transformer, tokenizer }: InfinityCard['config'], weights: Weights): BitwiseQuantiser {
  const gains = weights.has('gains') ? { gains: [...weights.readFloats('gains')] } : {};
  return new BitwiseQuantiser({ codeBits: tokenizer.codeBits, schedule: transformer.scales, patchify: transformer.patchify, ...gains });
}

/** The codebook and φ of a published VAR tokenizer. */
export function vectorQuantiser(schedule: readonly Grid[], weights: Weights): VectorQuantiser {
  const filters = weights.at('quant_resi', 'qresi_ls');
  return new VectorQuantiser({
    schedule,
    codebook: floats(weights.shape('embedding.weight'), weights.readFloats('embedding.weight')),
    filters: filters.children().map((name) => ({
      weight: filters.at(name).readFloats('weight'),
      bias: filters.at(name).readFloats('bias'),
    })),
  });
}

async function assertAllUnchanged(identities: readonly FileIdentity[]): Promise<void> {
  for (const identity of identities) await assertUnchanged(identity);
}

/** A class by its name or number; no words at all stand for no class. */
function classEncoder({ text, classes }: VarConfig): EditingModel['encodeText'] {
  const names = new ClassNames(text.names);
  return (instruction) => {
    if (instruction.trim() === '') return { text: { kind: 'class', index: classes }, notices: [] };
    const { index, report } = names.find(instruction);
    if (index === undefined) throw notUnderstood(report);
    return { text: { kind: 'class', index }, notices: [] };
  };
}

function textEncoder(pack: string, text: TransformerConfig['text']): EditingModel['encodeText'] {
  if (text.kind === 'features') {
    return () => {
      throw new ExpectedError('pack.unable', `Expected a text encoder in the pack "${pack}" but it has none.`);
    };
  }
  const tokenizer = new WordTokenizer(text);
  return (instruction) => {
    const { ids, report } = tokenizer.encode(instruction);
    if (report.unknownWords.length > 0 && !report.known) throw notUnderstood(report);
    return { text: { kind: 'words', ids }, notices: textNotices(report, text.maxWords) };
  };
}

function notUnderstood(report: InstructionReport): ExpectedError {
  return new ExpectedError('instruction.unknown-words', unknownWordsSentence(report), { details: { ...report } });
}

/** What a pack would make of an instruction. */
export function checkInstruction({ config }: PackCard, instruction: string): InstructionReport {
  const { text } = config.transformer;
  if (text.kind === 'words') return new WordTokenizer(text).encode(instruction).report;
  if (text.kind === 'classes' && instruction.trim() !== '') return new ClassNames(text.names).find(instruction).report;
  return { unknownWords: [], understands: [], known: true, cut: false };
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
