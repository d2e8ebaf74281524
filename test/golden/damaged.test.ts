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

// Weights that are mapped are read by nobody before a network runs: what comes out of it must be looked at, in every family.

type Role = PackFile['role'];

/** Files of a pack by their roles. */
type Parts = Readonly<Partial<Record<Role, string>>>;

const golden = (file: string) => path.resolve('test/golden', file);
const sketch = (file: string) => path.resolve('models/sketch', file);
const T5 = { text: golden('t5-mini/t5.pth'), 'text-tokenizer': golden('t5-mini/tokenizer.json') };
const PACKS = {
  var: { transformer: golden('var-mini/var_d3.pth'), tokenizer: golden('var-mini/vae_ch32v64z8.pth') },
  hmar: { transformer: golden('hmar-mini/hmar-d3.pth'), tokenizer: golden('var-mini/vae_ch32v64z8.pth') },
  controlar: { transformer: golden('controlar-mini/canny_mini.pth'), tokenizer: golden('controlar-mini/vq_mini.pt'), ...T5 },
  nar: { transformer: golden('nar-mini/t2i_tiny.pt'), tokenizer: golden('controlar-mini/vq_mini.pt'), ...T5 },
  infinity: {
    transformer: sketch('transformer.safetensors'),
    tokenizer: sketch('tokenizer.safetensors'),
    depth: sketch('depth.safetensors'),
  },
} satisfies Record<string, Parts>;

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
async function damagedPack(family: keyof typeof PACKS, { role, prefix, value }: Damage) {
  const folder = await mkdtemp(path.join(root, 'pack-'));
  const files: PackFile[] = [];
  for (const [part, source] of Object.entries(PACKS[family]) as [Role, string][]) {
    const target = path.join(folder, `${part}.safetensors`);
    const writing = part === 'text-tokenizer' ? undefined : writeWeights(await openCheckpoint(source), { target, precision: 'float32' });
    for (let step = await writing?.next(); step && !step.done; step = await writing?.next());
    const name = writing ? `${part}.safetensors` : path.relative(folder, source);
    if (part === role) damage(await openCheckpoint(target), prefix, value);
    files.push({ name, role: part, bytes: statSync(path.join(folder, name)).size, sha256: '0'.repeat(64) });
  }
  return { card: { ...(await cardOf(family, files)), files, name: path.basename(folder).toLowerCase() }, folder };
}

function damage({ tensors, identity }: Awaited<ReturnType<typeof openCheckpoint>>, prefix: string, value: number): void {
  const [largest] = [...tensors.values()].filter(({ name }) => name.startsWith(prefix)).sort((a, b) => b.lengthBytes - a.lengthBytes);
  const file = openSync(identity.path, 'r+');
  writeSync(file, new Uint8Array(Float32Array.of(value).buffer), 0, 4, largest!.offsetBytes);
  closeSync(file);
}

async function cardOf(family: keyof typeof PACKS, files: readonly PackFile[]): Promise<PackCard> {
  if (family === 'infinity') return v.parse(PackCard, JSON.parse(readFileSync(sketch('card.json'), 'utf8')));
  const { transformer, tokenizer } = PACKS[family];
  const text = 'text' in PACKS[family] ? [T5.text] : [];
  const reports = await Promise.all([transformer, tokenizer, ...text].map((file) => engine.inspect(file)));
  return packOfCheckpoints({ reports, textTokenizer: { path: T5['text-tokenizer'], bytes: 1 } }).cardOf(files) as PackCard;
}

const EDIT: EditRequestInput = { task: 'edit', source: 'scene', instruction: 'make it night' };
const FILL: EditRequestInput = { task: 'expand', source: 'scene', margins: { left: 8 }, instruction: '1' };
const DRAW: EditRequestInput = { task: 'generate', instruction: '1' };
const WORDS: EditRequestInput = { task: 'generate', instruction: 'a red car' };
const HELD: EditRequestInput = { task: 'generate', source: 'scene', instruction: 'a red car', control: { kind: 'canny' } };
const DEPTH: EditRequestInput = { task: 'control', source: 'scene', control: { kind: 'depth' } };

describe('damaged weights are named, and never make a picture', () => {
  it.each<[keyof typeof PACKS, Role, string, number, EditRequestInput]>([
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
    ['nar', 'transformer', 'layers.2', NaN, WORDS],
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
