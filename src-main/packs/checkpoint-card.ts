import { basename } from 'node:path';
import type { Grid } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { PackCard, PackFile } from '#contract/pack-card.js';
import type { InspectReport, ModelShape } from '#engine/door/engine.js';
import imagenetNames from './imagenet-names.json' with { type: 'json' };

type Shape<F extends ModelShape['family']> = Extract<ModelShape, { family: F }>;

/** A weights file and the part that it plays in a pack. */
export interface PackSource {
  readonly role: PackFile['role'];
  readonly report: InspectReport;
}

/** What published checkpoints become: everything of a card but the copied files. */
export interface CheckpointPack {
  readonly sources: readonly PackSource[];
  readonly cardOf: (files: readonly PackFile[]) => PackCard;
}

/** Sides of the token grids that VAR was published with. */
const PUBLISHED_SIDES: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], // 256 pixels
  [1, 2, 3, 4, 6, 9, 13, 18, 24, 32], // 512 pixels
];

/**
 * A pack of files that the authors published, told from their tensors alone.
 *
 * @throws ExpectedError `weights.refused` where they are not the two halves of one model.
 */
export function packOfCheckpoints(reports: readonly InspectReport[], name?: string): CheckpointPack {
  const unknown = reports.find(({ model }) => model === null);
  if (unknown) throw new ExpectedError('weights.refused', `${basename(unknown.file)}: ${unknown.reason ?? 'not recognised.'}`);
  const transformer = reports.find((report) => report.model?.family === 'var');
  const tokenizer = reports.find((report) => report.model?.family === 'vector-tokenizer');
  if (reports.length !== 2 || !transformer || !tokenizer) {
    const families = reports.map(({ model }) => model?.family ?? 'unknown').join(', ');
    throw new ExpectedError('weights.refused', `Expected a VAR transformer and its tokenizer but received ${families}.`);
  }
  const shapes = { var: transformer.model as Shape<'var'>, tokenizer: tokenizer.model as Shape<'vector-tokenizer'> };
  expectOneModel(shapes);
  return {
    sources: [
      { role: 'transformer', report: transformer },
      { role: 'tokenizer', report: tokenizer },
    ],
    cardOf: (files) => varCard({ name: name ?? nameOf(transformer.file), licence: licenceOf(reports), ...shapes, files }),
  };
}

interface Shapes {
  readonly var: Shape<'var'>;
  readonly tokenizer: Shape<'vector-tokenizer'>;
}

function expectOneModel({ var: model, tokenizer }: Shapes): void {
  if (model.entries === tokenizer.entries && model.codeWidth === tokenizer.codeWidth) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a tokenizer of ${model.entries} codes with ${model.codeWidth} channels but received ${tokenizer.entries} with ${tokenizer.codeWidth}.`,
  );
}

function varCard({
  name,
  licence,
  var: model,
  tokenizer,
  files,
}: Shapes & { name: string; licence: string; files: readonly PackFile[] }): PackCard {
  const { depth, width, heads, codeWidth, entries, classes } = model;
  const scales = scalesOf(model);
  const downsample = 2 ** (tokenizer.depth - 1);
  return {
    format: 1,
    name,
    title: `VAR-d${depth}`,
    version: '1.0.0',
    family: 'var',
    licence,
    imageSize: (scales.at(-1)?.[0] ?? 1) * downsample,
    config: {
      transformer: {
        depth,
        width,
        heads,
        codeWidth,
        entries,
        classes,
        scales,
        text: textOf(classes),
        lateScales: Math.ceil(scales.length / 3),
      },
      tokenizer: { kind: 'vqvae', downsample },
    },
    // Published weights were not trained for subsets of layers: only the two lightest presets leave any out.
    presets: { best: depth, balanced: depth, fast: Math.ceil((depth * 3) / 4), draft: Math.ceil(depth / 2) },
    defaults: { guidance: 5, guidanceRamp: 'linear', temperature: 1, topK: 900, topP: 0.95, fillInstruction: '' },
    files: [...files],
    dataSources: [],
    abilities: ['pictures of a named class', 'experimental: fill, expand and drawing a named class into a mask, without training for it'],
    limits: ['knows ImageNet classes only, no sentences', 'experimental: the presets fast and draft were not trained for'],
  };
}

function scalesOf({ levels, positions }: Shape<'var'>): [number, number][] {
  const counted = Array.from({ length: levels }, (_, k) => k + 1);
  const sides = [...PUBLISHED_SIDES, counted].find((list) => list.length === levels && tokensOf(list) === positions);
  if (sides) return sides.map((side): [number, number] & Grid => [side, side]);
  throw new ExpectedError(
    'weights.refused',
    `Expected the scales of a published VAR but received ${levels} scales of ${positions} tokens.`,
  );
}

function tokensOf(sides: readonly number[]): number {
  return sides.reduce((sum, side) => sum + side * side, 0);
}

function textOf(classes: number): { kind: 'classes'; names: string[] } {
  const names = classes === imagenetNames.length ? imagenetNames : Array.from({ length: classes }, (_, index) => `class ${index}`);
  return { kind: 'classes', names };
}

function nameOf(file: string): string {
  const stem = basename(file).replace(/\.[^.]*$/u, '');
  return stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
}

function licenceOf(reports: readonly InspectReport[]): string {
  return reports.find(({ licence }) => licence !== null)?.licence ?? 'not stated in the files';
}
