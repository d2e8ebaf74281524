import type { PackCard } from '#contract/pack-card.js';
import type { ControlKind } from '#contract/request.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import {
  controlNamed,
  headOf,
  expectTextWidth,
  promptedParts,
  type CardHead,
  type CheckpointPack,
  type PublishedFiles,
} from '../published-files.js';
import { controlArTransformer, rasterTokenizer, type ControlArShape } from './networks.js';

export function controlArPack(files: PublishedFiles): CheckpointPack {
  const { transformer, tokenizer, text, sources } = promptedParts(
    files,
    [controlArTransformer, rasterTokenizer],
    'a ControlAR transformer',
  );
  expectOneCodebook(transformer.model, tokenizer.model);
  expectTextWidth(transformer.model, text.model);
  const control = files.control ?? controlNamed(transformer.report.file, ['seg', 'segmentation']);
  return {
    sources,
    cardOf: (copied) =>
      controlArCard(headOf(files, transformer.report, copied), { transformer: transformer.model, tokenizer: tokenizer.model, control }),
  };
}

interface ControlArParts {
  readonly transformer: ControlArShape;
  readonly tokenizer: VectorTokenizerShape<'raster-tokenizer'>;
  readonly control: ControlKind;
}

function controlArCard(head: CardHead, { transformer, tokenizer, control }: ControlArParts): PackCard {
  const { depth, width, heads, entries, imageTokens, textWidth, textTokens } = transformer;
  const side = Math.sqrt(imageTokens);
  const downsample = 2 ** (tokenizer.depth - 1);
  const scales = Array.from({ length: side }, (): [number, number] => [1, side]);
  const text = { kind: 'features' as const, width: textWidth, maxTokens: textTokens };
  return {
    ...head,
    title: `ControlAR, ${depth} layers, ${control}`,
    family: 'controlar',
    imageSize: side * downsample,
    config: { transformer: { depth, width, heads, entries, scales, text, control, lateScales: 0 }, tokenizer: { kind: 'vq', downsample } },
    presets: { best: depth, balanced: depth, fast: depth, draft: depth },
    defaults: { guidance: 4, guidanceRamp: 'constant', temperature: 1, topK: 2000, topP: 1, fillInstruction: 'a high-quality image' },
    abilities: [`pictures from words, held by a map: ${control}`],
    limits: ['draws token by token, so it takes minutes without a GPU', 'no depth presets'],
  };
}
