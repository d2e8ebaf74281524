import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DepthCard, DepthConfig } from '#contract/pack-card.js';
import { inspectForeign } from '#engine/door/inspect-onnx.js';
import { openDepth } from '#engine/door/open-depth.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { depthCard, depthSources } from '#packs/depth-card.js';
import { BIAS, dynamicDepth, modelOf, port, WEIGHTS } from '../../../support/onnx-models.js';
import { OnnxRunner } from '../../../support/onnx-runner.js';
import { TemporaryFiles } from '../weights/support/temporary-files.js';

const files = new TemporaryFiles();
const runner = new OnnxRunner();
const CONFIG: DepthConfig = { kind: 'onnx', side: 28, patch: 14, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], near: 'high' };

function cardOf(name: string, bytes: number, config: Partial<DepthConfig> = {}): DepthCard {
  const head = { format: 1 as const, name: 'deep', version: '1', licence: 'MIT', dataSources: [] };
  const entry = { name, role: 'depth' as const, bytes, sha256: '0'.repeat(64) };
  const card = depthCard({ ...head, files: [entry] }, { file: name } as never, { external: [] } as never);
  return { ...card, config: { depth: { ...CONFIG, ...config } } };
}

function openFile(bytes: Uint8Array, name: string, config: Partial<DepthConfig> = {}) {
  files.write(bytes, name);
  return openDepth({ card: cardOf(name, bytes.length, config), folder: files.folder }, runner);
}

/** Rows and columns of many colours, `[1, 3, H, W]`. */
function picture(height: number, width: number): FloatTensor {
  const result = floats([1, 3, height, width]);
  result.data.forEach((_, i) => (result.data[i] = ((i * 7919) % 101) / 100));
  return result;
}

/** The convolution by hand, on the picture as it is, stretched to 0..1. */
function byHand({ dims, data }: FloatTensor): number[] {
  const pixels = dims[2]! * dims[3]!;
  const raw = Array.from({ length: pixels }, (_, i) =>
    WEIGHTS.reduce((sum, weight, c) => sum + (weight * (data[c * pixels + i]! - CONFIG.mean[c]!)) / CONFIG.std[c]!, BIAS),
  );
  const [low, high] = [Math.min(...raw), Math.max(...raw)];
  return raw.map((value) => (value - low) / (high - low));
}

/** Of one size, with a channel in its map, weights in another file; written by our own builder. */
function fixedModel(weights: string): Uint8Array {
  const graph = new GraphBuilder('fixed');
  const file = files.write(Uint8Array.from([0, 0, 0, 0, ...new Uint8Array(Float32Array.from(WEIGHTS).buffer)]), weights);
  const weight = graph.mapped({ name: 'w', dims: [1, 3, 1, 1], file, offsetBytes: 4, lengthBytes: 12 });
  const map = graph.op('Conv', [graph.input('image', [1, 3, 28, 42]), weight]);
  graph.output('depth', graph.op('Add', [map, graph.scalar(BIAS)]), [1, 1, 28, 42]);
  return graph.finish().bytes;
}

describe('a foreign depth model', () => {
  it('gives the depth that its convolution gives by hand, near is 1', async () => {
    const { depth, release } = await openFile(modelOf(dynamicDepth()), 'dynamic.onnx');
    const seen = picture(28, 42);
    expect(depth.sizeFor({ width: 42, height: 28 })).toEqual({ width: 42, height: 28 });
    const map = await depth.estimate(seen);
    expect(map.dims).toEqual([1, 1, 28, 42]);
    byHand(seen).forEach((value, i) => {
      expect(map.data[i]).toBeCloseTo(value, 5);
    });
    await release();
  });

  it('of metres is turned round', async () => {
    const { depth, release } = await openFile(modelOf(dynamicDepth()), 'metric.onnx', { near: 'low' });
    const seen = picture(28, 28);
    const map = await depth.estimate(seen);
    byHand(seen).forEach((value, i) => {
      expect(map.data[i]).toBeCloseTo(1 - value, 5);
    });
    await release();
  });

  it('of one size, with weights beside it, sees other pictures at that size', async () => {
    const { depth, release } = await openFile(fixedModel('fixed.data'), 'fixed.onnx');
    expect(depth.sizeFor({ width: 9, height: 1000 })).toEqual({ width: 42, height: 28 });
    const same = await depth.estimate(picture(28, 42));
    byHand(picture(28, 42)).forEach((value, i) => {
      expect(same.data[i]).toBeCloseTo(value, 5);
    });
    expect((await depth.estimate(picture(64, 64))).dims).toEqual([1, 1, 64, 64]);
    await release();
  });

  it('is described with the files that it names beside itself', async () => {
    const bytes = fixedModel('beside.data');
    const report = await inspectForeign(files.write(bytes, 'described.onnx'));
    expect(report).toMatchObject({ format: 'onnx', parameters: 4, model: { family: 'depth', fixed: { width: 42, height: 28 } } });
    const { model } = report;
    if (model?.family !== 'depth' || !('external' in model)) throw new Error('Expected a depth model.');
    const beside = path.join(files.folder, 'beside.data');
    expect(report.files).toEqual([report.file, beside]);
    expect(depthSources(report, model)).toEqual([
      { role: 'depth', path: report.file, files: [report.file], bytes: bytes.length, name: 'depth.onnx' },
      { role: 'depth-weights', path: beside, files: [beside], bytes: 16, name: 'beside.data' },
    ]);
  });

  it.each<[string, (weights: string) => void, RegExp]>([
    ['are missing', () => undefined, /beside the model but it is missing/],
    [
      'are too short',
      (weights) => {
        writeFileSync(weights, 'short');
      },
      /Expected 16 bytes in named\.data but received 5/,
    ],
    [
      'are a link',
      (weights) => {
        symlinkSync('/etc/hostname', weights);
      },
      /Expected a regular file/,
    ],
  ])('is refused where its weights %s', async (_, put, reason) => {
    const model = files.write(fixedModel('named.data'), 'lacking.onnx');
    const weights = path.join(files.folder, 'named.data');
    rmSync(weights);
    put(weights);
    await expect(inspectForeign(model)).rejects.toThrow(reason);
    rmSync(weights, { force: true });
  });

  it('is a stranger to `inspect` where it is no depth model, with the reason', async () => {
    const output = [port({ name: 'class', dims: [1, 1000] })];
    const report = await inspectForeign(files.write(modelOf({ ...dynamicDepth(), output }), 'classes.onnx'));
    expect(report).toMatchObject({ model: null, reason: expect.stringContaining('[N, H, W]') as string });
  });

  it('is refused in the runtime’s words where it cannot be opened', async () => {
    const node = [{ opType: 'NoSuchOperator', input: ['pixel_values'], output: ['predicted_depth'] }];
    await expect(openFile(modelOf({ ...dynamicDepth(), node }), 'odd.onnx')).rejects.toMatchObject({
      code: 'weights.refused',
      message: expect.stringMatching(/odd\.onnx but the runtime refuses: .*NoSuchOperator/u) as string,
    });
  });

  it('is refused where it cannot see the size that its card says', async () => {
    const shape = { name: 'axes', dims: [2], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(1n, 5n).buffer) };
    const graph = dynamicDepth();
    const node = [graph.node![0]!, { opType: 'Reshape', input: ['map', 'axes'], output: ['predicted_depth'] }];
    const { depth, release } = await openFile(
      modelOf({ ...graph, node, initializer: [...graph.initializer!.slice(0, 2), shape] }),
      'five.onnx',
    );
    await expect(depth.estimate(picture(28, 28))).rejects.toMatchObject({ code: 'weights.refused' });
    await release();
  });

  it('with damaged weights says so', async () => {
    const graph = dynamicDepth();
    const [weights, , axes] = graph.initializer!;
    const broken = { name: 'b', dims: [1], dataType: 1, rawData: new Uint8Array(Float32Array.of(NaN).buffer) };
    const { depth, release } = await openFile(modelOf({ ...graph, initializer: [weights!, broken, axes!] }), 'nan.onnx');
    await expect(depth.estimate(picture(28, 28))).rejects.toMatchObject({ code: 'weights.damaged' });
    await release();
  });

  it('that was replaced since is not gone on with', async () => {
    const { assertUnchanged, release } = await openFile(fixedModel('changing.data'), 'changing.onnx');
    await assertUnchanged();
    truncateSync(path.join(files.folder, 'changing.data'), 3);
    await expect(assertUnchanged()).rejects.toMatchObject({ code: 'weights.changed' });
    await release();
  });

  it('of another length than its card says is damage', async () => {
    const bytes = modelOf(dynamicDepth());
    writeFileSync(path.join(files.folder, 'long.onnx'), bytes);
    const opening = openDepth({ card: cardOf('long.onnx', bytes.length + 1), folder: files.folder }, runner);
    await expect(opening).rejects.toMatchObject({ code: 'pack.damaged' });
  });
});
