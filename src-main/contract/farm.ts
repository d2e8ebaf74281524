import * as v from 'valibot';
import { canonicalJson } from '#base/canonical-json.js';
import { formatOfName, type BatchEntry, type BatchReport } from './batch.js';
import type { Ending } from './ending.js';
import { ERROR_CODES, type ErrorCode } from './errors.js';
import { EditRequest, OUTPUT_FORMATS, PictureId } from './request.js';

/** Most pictures of one order: a folder as large as the one that a batch on this machine takes. */
export const MOST_ENTRIES = 100_000;
/** A job is settings: pictures and tokens lie in the store. */
export const JOB_BYTES = 64 * 1024;

export const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u, 'Expected a SHA-256.'));
export type Sha256 = v.InferOutput<typeof Sha256>;

export const BatchId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/u, 'Expected the id of a batch.'));
export type BatchId = v.InferOutput<typeof BatchId>;

/** A name as `planBatch` gives it: of a picture, and of no other folder. */
const OutputName = v.pipe(
  v.string(),
  v.maxLength(255),
  v.check((name) => !/[/\\\0]/u.test(name) && formatOfName(name) !== undefined, 'Expected a plain name of a picture.'),
);

/** An edit request with every field written out and nothing else in it. It follows `EditRequest` by itself. */
const WholeRequest = v.pipe(
  v.unknown(),
  v.rawTransform<unknown, EditRequest>(({ dataset, addIssue, NEVER }) => {
    const parsed = v.safeParse(EditRequest, dataset.value);
    if (parsed.success && canonicalJson(parsed.output) === canonicalJson(dataset.value)) return parsed.output;
    addIssue({ message: 'Expected an edit request with every field written out and no other.' });
    return NEVER;
  }),
);

/** What is to be done to one picture. Every picture that the request names is called by the digest of its bytes. */
export const FarmJob = v.strictObject({
  version: v.literal(1),
  batch: BatchId,
  output: OutputName,
  request: WholeRequest,
  /** The blob of a token file to begin with: `resume` may be larger than a job. */
  tokens: v.optional(Sha256),
  /** Digest of the cards of the pack that draws and of the one that estimates depth. */
  pack: Sha256,
  /** Digest of all that decides the result: the key that it is kept under. */
  result: Sha256,
});
export type FarmJob = v.InferOutput<typeof FarmJob>;

/** A SHA-256 in base64url. */
const ShortDigest = v.pipe(v.string(), v.regex(/^[\w-]{43}$/u, 'Expected a digest.'));

/**
 * A job as it waits in Redis, where a hundred thousand of them wait: its batch stands in its id, of the request there is
 * only what its task does not say already, and pictures are called by their place in the list.
 */
export const FarmWire = v.strictObject({
  v: v.literal(1),
  /** Output. */
  o: OutputName,
  /** Request. */
  r: v.record(v.string(), v.unknown()),
  /** Pictures. */
  i: v.array(ShortDigest),
  /** Pack. */
  p: ShortDigest,
  /** Result. */
  k: ShortDigest,
  /** Tokens. */
  t: v.optional(ShortDigest),
});
export type FarmWire = v.InferOutput<typeof FarmWire>;

/** What became of a job, by its key. The first that is written stays. */
export const FarmResult = v.strictObject({
  version: v.literal(1),
  pictures: v.pipe(
    v.array(v.strictObject({ picture: Sha256, changedMask: v.optional(Sha256), seed: v.number() })),
    v.minLength(1),
    v.maxLength(16),
  ),
  ms: v.pipe(v.number(), v.minValue(0)),
  provider: v.pipe(v.string(), v.maxLength(64)),
});
export type FarmResult = v.InferOutput<typeof FarmResult>;

const Code = v.picklist([...(Object.keys(ERROR_CODES) as ErrorCode[]), 'bug']);
const Sentence = v.pipe(v.string(), v.maxLength(4096));

/** One picture of a submitted batch: a job in a queue, or why there is none. */
const FarmPartEntry = v.strictObject({
  source: v.pipe(v.string(), v.maxLength(4096)),
  output: OutputName,
  format: v.picklist(OUTPUT_FORMATS),
  queue: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/u))),
  job: v.optional(FarmJob),
  error: v.optional(v.object({ code: Code, message: Sentence, advice: Sentence })),
  kept: v.optional(v.literal(true)),
});

/** A bulk of a batch as it was submitted, so that whoever knows the batch's id finds it again. */
export const FarmPart = v.strictObject({
  version: v.literal(1),
  batch: BatchId,
  /** How many pictures the whole batch has. */
  total: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MOST_ENTRIES)),
  entries: v.pipe(v.array(FarmPartEntry), v.minLength(1), v.maxLength(1000)),
});
export type FarmPart = v.InferOutput<typeof FarmPart>;
export type FarmPartEntry = v.InferOutput<typeof FarmPartEntry>;

/** Pictures for the farm, or a batch that it has already. */
export const FarmOrder = v.union([
  v.strictObject({ batch: BatchId }),
  v.strictObject({
    entries: v.pipe(
      v.array(
        v.strictObject({
          source: v.pipe(v.string(), v.maxLength(4096)),
          output: OutputName,
          format: v.picklist(OUTPUT_FORMATS),
          request: EditRequest,
        }),
      ),
      v.minLength(1),
      v.maxLength(MOST_ENTRIES),
    ),
  }),
]);
export type FarmOrder = v.InferOutput<typeof FarmOrder>;
export type FarmOrderInput = v.InferInput<typeof FarmOrder>;

/** How far a picture is that a worker has in hand: scale `of` so many, of the model's or of the detail behind it. */
export const FarmProgress = v.strictObject({
  scale: v.pipe(v.number(), v.integer(), v.minValue(0)),
  of: v.pipe(v.number(), v.integer(), v.minValue(1)),
  detail: v.optional(v.literal(true)),
  /** What it looks like, where someone watches. */
  picture: v.optional(PictureId),
});
export type FarmProgress = v.InferOutput<typeof FarmProgress>;

/** The batch first, then each change of a picture. Leaving early leaves the batch to the farm. */
export type FarmEvent =
  | { readonly type: 'batch'; readonly batch: BatchId; readonly entries: readonly BatchEntry[] }
  | {
      readonly type: 'change';
      readonly index: number;
      readonly entry: BatchEntry;
      /** The results, where it is done. */
      readonly pictures?: readonly PictureId[];
      /** Where it runs. */
      readonly progress?: FarmProgress;
    }
  | Ending;

export interface FarmQueue {
  readonly queue: string;
  /** Names of the pack that draws, and of the one that estimates depth. */
  readonly pack: string;
  readonly waiting: number;
  readonly running: number;
  readonly failed: number;
}

export interface FarmWorker {
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly packs: readonly string[];
  /** Where it sits. */
  readonly queue: string | null;
  readonly busy: boolean;
  readonly done: number;
}

export interface FarmStatus {
  /** Without user and secret; null where no farm is set. */
  readonly address: string | null;
  readonly workers: readonly FarmWorker[];
  readonly queues: readonly FarmQueue[];
  /** Of the batch that was asked for. */
  readonly batch?: BatchReport;
}
