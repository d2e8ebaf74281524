import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { PackFile, SegmenterCard } from '#contract/pack-card.js';
import type { ForeignDecoder, ForeignEncoder, InspectReport } from '#engine/door/engine.js';
import type { PackSource } from '#engine/door/published.js';
import { foreignSources } from './foreign-sources.js';

/** As Segment Anything was trained: ImageNet's colours. */
const PREPROCESSING = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } satisfies Partial<SegmenterCard['config']['segmenter']>;

const TAKEN = ['card.json', 'encoder.onnx', 'decoder.onnx'];

interface Half<S> {
  readonly report: InspectReport;
  readonly model: S;
}

export interface Halves {
  readonly encoder: Half<ForeignEncoder>;
  readonly decoder: Half<ForeignDecoder>;
}

/** Both halves, with what each names beside itself. */
export function segmenterSources({ encoder, decoder }: Halves): readonly PackSource[] {
  const rest = { beside: 'segment-weights', taken: TAKEN } as const;
  const sources = [
    ...foreignSources(encoder.report, encoder.model, { role: 'segment-encoder', name: 'encoder.onnx', ...rest }),
    ...foreignSources(decoder.report, decoder.model, { role: 'segment-decoder', name: 'decoder.onnx', ...rest }),
  ];
  const names = sources.map(({ name }) => name);
  const twice = sources.find(({ name }, i) => names.indexOf(name) !== i);
  if (!twice) return sources;
  throw new ExpectedError(
    'weights.refused',
    `Expected weights of different names beside both halves but received ${basename(twice.path)} twice.`,
  );
}

export type SegmenterHead = Pick<SegmenterCard, 'format' | 'name' | 'version' | 'licence' | 'dataSources'> & { readonly files: PackFile[] };

export function segmenterCard(head: SegmenterHead, { side }: ForeignEncoder): SegmenterCard {
  return {
    ...head,
    title: 'Segmentation model',
    family: 'segmentation',
    imageSize: side,
    config: { segmenter: { kind: 'onnx', ...PREPROCESSING } },
    abilities: ['selects the object that is pointed at'],
    limits: ['draws no pictures'],
  };
}
