import { PNG } from 'pngjs';
import type { Cancellation } from '#base/cancellation.js';
import { ExpectedError } from '#contract/errors.js';
import { bytesOf } from '#engine/door/encoded-picture.js';
import type { EncodedPicture, Engine, EngineEvent, EngineJob, PictureFacts } from '#engine/door/engine.js';

/** What a test teaches the fake; everything else it refuses. */
export type Lessons = Partial<Engine>;

export interface FakeEngine extends Engine {
  /** The jobs that were run, in order. */
  readonly jobs: EngineJob[];
  /** Runs that ended before they were done: cancelled, failed or left. */
  unfinished: number;
  killed: number;
}

/** An engine that knows its lessons and nothing more. */
export function fakeEngine(lessons: Lessons = {}): FakeEngine {
  const jobs: EngineJob[] = [];
  const engine: FakeEngine = {
    ...UNTAUGHT,
    ...lessons,
    run: async function* (job, signal) {
      jobs.push(job);
      engine.unfinished++;
      for await (const event of (lessons.run ?? untaughtRun)(job, signal)) {
        if (event.type === 'done') engine.unfinished--;
        yield event;
      }
    },
    kill: () => {
      engine.killed++;
      lessons.kill?.();
    },
    jobs,
    unfinished: 0,
    killed: 0,
  };
  return engine;
}

const UNTAUGHT: Omit<Engine, 'run' | 'kill'> = {
  forecast: untaught('forecast'),
  controlMap: untaught('controlMap'),
  describe: describePng,
  convert: untaught('convert'),
  losses: untaught('losses'),
  carry: untaught('carry'),
  blend: untaught('blend'),
  frame: untaught('frame'),
  readMask: untaught('readMask'),
  select: untaughtSelecting,
  layers: untaught('layers'),
  tokenize: untaught('tokenize'),
  reportTokenizer: untaught('reportTokenizer'),
  tokenizerFacts: untaught('tokenizerFacts'),
  roundingErrors: untaught('roundingErrors'),
  decode: untaught('decode'),
  checkInstruction: untaught('checkInstruction'),
  providers: untaught('providers'),
  machine: untaught('machine'),
  inspect: untaught('inspect'),
  writeWeights: untaughtWriting,
  close: () => Promise.resolve(),
};

function untaughtSelecting(): never {
  throw new Error('This engine was not taught to select.');
}

function untaughtWriting(): never {
  throw new Error('This engine was not taught to write weights.');
}

function untaught(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`The fake engine was not taught to ${name}.`));
}

async function* untaughtRun(): AsyncGenerator<EngineEvent, void> {
  yield { type: 'failed', error: { code: 'bug', message: await Promise.resolve('The fake engine was not taught to run.'), advice: '' } };
}

/** Knows PNG by its header alone; refuses everything else as the true engine does. */
async function describePng(encoded: EncodedPicture): Promise<PictureFacts> {
  const picture = await bytesOf(encoded);
  const view = new DataView(picture.buffer, picture.byteOffset, picture.length);
  if (picture.length < 33 || view.getUint32(0) !== 0x89504e47) {
    return Promise.reject(new ExpectedError('image.unreadable', 'Expected a picture but received something else.'));
  }
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  return Promise.resolve({ size, format: 'png', bitDepth: 8, hasAlpha: false, hasProfile: false, hasLocation: false, notices: [] });
}

/** A picture of one gray, as PNG bytes. */
export function grayPng(width: number, height: number, level = 128): Uint8Array {
  const png = new PNG({ width, height });
  png.data.fill(level);
  return PNG.sync.write(png);
}

export const SCALES = 3;

/**
 * A run of three scales that waits a moment at each and asks whether it is still wanted. Previews are gray
 * pictures of 1, 2, 3 pixels; the candidate is as large as the source and as light as the seed.
 */
export async function* threeScales({ request, pictures, pack }: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void> {
  const source = request.source === undefined ? undefined : pictures[request.source];
  const { size } = source === undefined ? { size: { width: 8, height: 8 } } : await describePng(source);
  const schedule = [1, 2, 3].map((side): [number, number] => [side, side]);
  const plan = {
    pack: pack.card.name,
    preset: request.preset,
    provider: 'cpu',
    schedule,
    crop: { x: 0, y: 0, ...size },
    size,
    estimateMs: 3,
    estimateBytes: 1,
    notices: [],
  };
  yield { type: 'started', plan };
  for (let index = 0; index < request.count; index++) {
    for (let scale = 1; scale <= SCALES; scale++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      if (signal.aborted) {
        yield { type: 'cancelled' };
        return;
      }
      const place = { candidate: index, scale, of: SCALES };
      yield { type: 'scale', ...place, tokens: scale * scale, ms: 5 };
      if (request.previews) yield { type: 'preview', ...place, picture: grayPng(scale, scale), ms: 1 };
    }
    const seed = request.seed + index;
    const tokens = { pack: pack.card.name, schedule, tokens: [['0'], ['1', '2', '3', '4']] };
    const picture = grayPng(size.width, size.height, seed % 256);
    yield {
      type: 'candidate',
      candidate: {
        index,
        picture,
        changedMask: grayPng(size.width, size.height, 255),
        tokens,
        seed,
        changedPixels: 7,
        changedOutsideMask: 0,
      },
    };
  }
  const timingsMs = { load: 0, text: 0, source: 0, scales: [5, 5, 5], previews: [1, 1, 1], decode: 0, composite: 0, total: 18 };
  yield { type: 'done', timingsMs, peakRssBytes: 1, size, provider: 'cpu' };
}
