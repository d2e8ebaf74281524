import { openSync, readFileSync, statSync, writeSync, closeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { PackCard, type PackFile } from '#contract/pack-card.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import type { PipelineEvent } from '#engine/pipelines/model.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeWeights } from '#engine/weights/write-weights.js';
import { packOfCheckpoints } from '#packs/checkpoint-card.js';
import { scenePng } from '../support/pictures.js';
import { PACKS } from '../support/published-packs.js';

// Weights that are mapped are read by nobody before a network runs: what comes out of it must be looked at, in every family.

type Role = PackFile['role'];

const sketch = (file: string) => path.resolve('models/sketch', file);
/** The built-in pack, for Infinity: it reads words by an encoder of its own. */
const SKETCH: readonly (readonly [Role, string])[] = [
  ['transformer', sketch('transformer.safetensors')],
  ['tokenizer', sketch('tokenizer.safetensors')],
  ['depth', sketch('depth.safetensors')],
];

type Family = keyof typeof PACKS;

const engine = new LocalEngine();
const pictures = { scene: await scenePng(96, 64) };
let root: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-damaged-'));
});

afterAll(() => rm(root, { recursive: true }));

interface Damage {
  readonly role: Role;
  /** Its largest tensor whose name begins so is damaged. */
  readonly prefix: string;
  readonly value: number;
}

/** The pack in single precision, so that nothing is read on opening, with one number of one tensor replaced. */
async function damagedPack(family: Family, { role, prefix, value }: Damage) {
  const folder = await mkdtemp(path.join(root, 'pack-'));
  const { parts, cardOf } = await packOf(family);
  const files: PackFile[] = [];
  for (const [i, [part, source]] of parts.entries()) {
    const target = path.join(folder, `${i}.safetensors`);
    const writing = part === 'text-tokenizer' ? undefined : writeWeights(await openCheckpoint(source), { target, precision: 'float32' });
    for (let step = await writing?.next(); step && !step.done; step = await writing?.next());
    const name = writing ? `${i}.safetensors` : path.relative(folder, source);
    if (part === role) damage(await openCheckpoint(target), prefix, value);
    files.push({ name, role: part, bytes: statSync(path.join(folder, name)).size, sha256: '0'.repeat(64) });
  }
  return { card: { ...cardOf(files), files, name: path.basename(folder).toLowerCase() }, folder };
}

function damage({ tensors, identity }: Awaited<ReturnType<typeof openCheckpoint>>, prefix: string, value: number): void {
  const [largest] = [...tensors.values()].filter(({ name }) => name.startsWith(prefix)).sort((a, b) => b.lengthBytes - a.lengthBytes);
  const file = openSync(identity.path, 'r+');
  writeSync(file, new Uint8Array(Float32Array.of(value).buffer), 0, 4, largest!.offsetBytes);
  closeSync(file);
}

async function packOf(
  family: Family,
): Promise<{ readonly parts: readonly (readonly [Role, string])[]; readonly cardOf: (files: readonly PackFile[]) => PackCard }> {
  if (family === 'infinity') {
    return { parts: SKETCH, cardOf: () => v.parse(PackCard, JSON.parse(readFileSync(sketch('card.json'), 'utf8'))) };
  }
  const files = PACKS[family].map((file) => path.resolve(file));
  const words = files.find((file) => file.endsWith('.json'));
  const reports = await Promise.all(files.filter((file) => file !== words).map((file) => engine.inspect(file)));
  const pack = packOfCheckpoints({ reports, ...(words !== undefined && { textTokenizer: { path: words, bytes: 1 } }) });
  return {
    parts: pack.sources.map(({ role, path: file }) => [role, file] as const),
    cardOf: (copied) => pack.cardOf(copied) as PackCard,
  };
}

const EDIT: EditRequestInput = { task: 'edit', source: 'scene', instruction: 'make it night' };
const FILL: EditRequestInput = { task: 'expand', source: 'scene', margins: { left: 8 }, instruction: '1' };
const DRAW: EditRequestInput = { task: 'generate', instruction: '1' };
const WORDS: EditRequestInput = { task: 'generate', instruction: 'a red car' };
const HELD: EditRequestInput = { task: 'generate', source: 'scene', instruction: 'a red car', control: { kind: 'canny' } };
const DEPTH: EditRequestInput = { task: 'control', source: 'scene', control: { kind: 'depth' } };

const MAPPED: EditRequestInput = { task: 'generate', source: 'scene', instruction: '1', control: { kind: 'canny' } };

describe('damaged weights are named, and never make a picture', () => {
  it.each<[Family, Role, string, number, EditRequestInput]>([
    ['var', 'transformer', 'blocks.1.ffn', NaN, DRAW],
    ['var', 'transformer', 'head.', Infinity, DRAW],
    ['var', 'tokenizer', 'decoder.conv_out', NaN, DRAW],
    ['var', 'tokenizer', 'decoder.conv_out', Infinity, DRAW],
    ['var', 'tokenizer', 'encoder.conv_out', NaN, FILL],
    ['infinity', 'transformer', 'block_chunks.', NaN, EDIT],
    ['infinity', 'tokenizer', 'encoder.', NaN, EDIT],
    ['infinity', 'tokenizer', 'decoder.', Infinity, EDIT],
    ['infinity', 'depth', '', NaN, DEPTH],
    ['hmar', 'transformer', 'base_blocks.1', NaN, DRAW],
    ['hmar', 'transformer', 'ns_head', Infinity, DRAW],
    ['hmar', 'transformer', 'mask_blocks.0', NaN, DRAW],
    ['flexvar', 'transformer', 'blocks.1.ffn', NaN, DRAW],
    ['flexvar', 'transformer', 'pos_1LC', NaN, DRAW],
    ['flexvar', 'tokenizer', 'decoder.conv_out', Infinity, DRAW],
    ['flexvar', 'tokenizer', 'encoder.conv_out', NaN, FILL],
    ['car', 'adapter', 'car_blocks.0.ffn', NaN, MAPPED],
    ['car', 'adapter', 'car_control_convs.conv_in', NaN, MAPPED],
    ['car', 'adapter', 'car_skip_linear', Infinity, MAPPED],
    ['car', 'transformer', 'head.', NaN, MAPPED],
    ['switti', 'transformer', 'blocks.1.ffn', NaN, WORDS],
    ['switti', 'transformer', 'blocks.0.cross_attn', Infinity, WORDS],
    ['switti', 'transformer', 'head.', NaN, WORDS],
    ['switti', 'text', 'text_model.encoder.layers.0', NaN, WORDS],
    ['switti', 'tokenizer', 'decoder.conv_out', NaN, WORDS],
    ['nar', 'transformer', 'layers.2', NaN, WORDS],
    ['nar', 'text', 'encoder.block.1', NaN, WORDS],
    ['nar', 'tokenizer', 'decoder.conv_out', NaN, WORDS],
    ['hmar', 'tokenizer', 'decoder.conv_out', NaN, DRAW],
    ['nar', 'transformer', 'medusa_output', Infinity, WORDS],
    ['controlar', 'transformer', 'layers.1', NaN, HELD],
    ['controlar', 'transformer', 'adapter.model', Infinity, HELD],
    ['controlar', 'text', 'encoder.block.1', NaN, HELD],
    ['controlar', 'tokenizer', 'decoder.conv_out', Infinity, HELD],
  ])('%s: %s %s %d', async (family, role, prefix, value, request) => {
    const pack = await damagedPack(family, { role, prefix, value });
    const job = { request: v.parse(EditRequest, { ...request, provider: 'cpu', pack: pack.card.name }), pack, pictures };
    const events: PipelineEvent[] = [];
    for await (const event of engine.run(job, NEVER_CANCELLED)) events.push(event);
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'weights.damaged' } });
    expect(events.map(({ type }) => type)).not.toContain('candidate');
  });
});
