import * as v from 'valibot';
import type { Extent } from '#base/geometry.js';
import { Adaptation } from './adaptation.js';
import type { EditEvent, Notice } from './event.js';
import type { Ending } from './ending.js';
import { BatchId, FarmOrder, type FarmEvent, type FarmOrderInput, type FarmStatus } from './farm.js';
import { Framing, type FramingInput } from './framing.js';
import type { Forecast } from './forecast.js';
import type { LayersWish } from './layers.js';
import { PRECISIONS, type AnyCard, type PackFile, type Precision } from './pack-card.js';
import { Preferences } from './preferences.js';
import { JournalOwner, Project, type ProjectInput } from './project.js';
import { RecentId, RecentKeep, type RecentDocument, type RecentKeepInput } from './recent.js';
import { Recipe, type FileRecipe } from './recipe.js';
import { SelectWish, type SelectWishInput } from './selection.js';
import { CONTROL_KINDS, EditRequest, OUTPUT_FORMATS, PictureId, TokenFile, type EditRequestInput, type OutputFormat } from './request.js';

/** What the service knows of a picture that it holds. */
export interface PictureInfo {
  readonly id: PictureId;
  readonly name: string;
  /** Upright, after EXIF orientation. */
  readonly size: Extent;
  readonly format: OutputFormat;
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  readonly hasProfile: boolean;
  /** Its EXIF says where it was taken. */
  readonly hasLocation: boolean;
  /** How it came about, where its file says so. */
  readonly recipe?: FileRecipe;
  readonly notices: readonly Notice[];
}

export interface PackSummary {
  readonly name: string;
  readonly family: AnyCard['family'];
  /** What the family is called, whatever the language; absent where this version does not know it. */
  readonly familyTitle?: string;
  readonly title: string;
  readonly version: string;
  readonly builtIn: boolean;
  readonly licence: string;
  readonly sizeBytes: number;
  readonly folder: string;
  /** Absent for models that are kept as they came. */
  readonly precision?: Precision;
}

export interface PackInfo extends PackSummary {
  readonly card: AnyCard;
}

export interface PackVerification {
  readonly name: string;
  readonly ok: boolean;
  readonly files: readonly { readonly name: string; readonly ok: boolean; readonly reason?: string }[];
}

export interface ProviderReport {
  readonly name: string;
  readonly available: boolean;
  /** Why it cannot be used here; absent where it can. */
  readonly whyNot?: string;
}

/** What this machine has to compute with. */
export interface MachineReport {
  readonly processor: string;
  readonly threads: number;
  readonly memoryBytes: number;
  /** What can be taken now without swapping. */
  readonly freeBytes: number;
  /** By which instructions it multiplies 8-bit integers. */
  readonly integers: IntegerInstructions;
  /** Measured: dense float32 products, in GFLOP/s; null before the first question that needs it. */
  readonly gflops: number | null;
}

/** Instructions for products of 8-bit integers; "unknown" where the system does not say which there are. */
export type IntegerInstructions = 'AMX' | 'AVX-512 VNNI' | 'AVX-VNNI' | 'I8MM' | 'DOTPROD' | 'none' | 'unknown';

/** A pack whose files the public hub has. */
export interface KnownPackSummary {
  readonly name: string;
  readonly title: string;
  readonly installed: boolean;
}

/** What the hub says of a known pack before anything is fetched. */
export interface HubReport {
  readonly name: string;
  readonly title: string;
  readonly totalBytes: number;
  readonly files: readonly { readonly repository: string; readonly path: string; readonly bytes: number; readonly licence: string }[];
}

export interface InstructionReport {
  /** Words outside the pack's vocabulary, each with known words spelt nearly alike. */
  readonly unknownWords: readonly { readonly word: string; readonly suggestions: readonly string[] }[];
  /** Instructions that the pack does understand, given where a word is unknown. */
  readonly understands: readonly string[];
  readonly known: boolean;
  readonly cut: boolean;
  /** It says what should not happen, which a pack of few words cannot carry out: it would do just that. */
  readonly negated?: boolean;
}

/** A pack that published files would become, before anything is written. */
export interface CheckpointReport {
  readonly name: string;
  readonly family: AnyCard['family'];
  readonly title: string;
  readonly licence: string;
  /** What to know before using it. */
  readonly limits: readonly string[];
  readonly parts: readonly { readonly file: string; readonly role: PackFile['role'] }[];
  readonly taken?: TakenChoices;
  /** What each precision takes on disk, and a picture in memory and time on this machine; of packs that draw. */
  readonly precisions: readonly {
    readonly precision: Precision;
    readonly diskBytes: number;
    readonly memoryBytes: number;
    readonly ms: number;
    /** What rounding changes in the outputs of the transformer's layers, as a share of them (root mean square); measured on some of them. */
    readonly error?: number;
  }[];
  readonly integers: IntegerInstructions;
  /** What suits this machine: int8 where it has instructions for it and the error is small. */
  readonly offered?: 'int8';
}

interface Progress {
  readonly type: 'progress';
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export type ImportEvent = Progress | { readonly type: 'imported'; readonly pack: PackSummary } | Ending;
export type VerifyEvent = Progress | { readonly type: 'verified'; readonly verification: PackVerification } | Ending;

/** The mask is a gray picture of the photograph's size, white where the object is. */
export type SelectEvent = { readonly type: 'selected'; readonly mask: PictureInfo } | Ending;

/** The files are fetched, and then imported. */
export type AddEvent =
  (Progress & { readonly stage: 'fetch' | 'import' }) | { readonly type: 'imported'; readonly pack: PackSummary } | Ending;

/** Questions with one answer. */
export interface Calls {
  'packs.list': { in: Record<string, never>; out: readonly PackSummary[] };
  'packs.info': { in: { name: string }; out: PackInfo };
  /** Throws `pack.protected` for packs that came with the program. */
  'packs.remove': { in: { name: string }; out: null };
  /** Asks no other machine. */
  'packs.known': { in: Record<string, never>; out: readonly KnownPackSummary[] };
  /** Asks the public hub, or the mirror that is set. */
  'packs.askHub': { in: { name: string }; out: HubReport };
  'providers.list': { in: Record<string, never>; out: readonly ProviderReport[] };
  'machine.describe': { in: Record<string, never>; out: MachineReport };
  'picture.describe': { in: { id: PictureId }; out: PictureInfo };
  /** Re-encodes a held picture for saving; the answer names the new picture. */
  'picture.convert': { in: ConvertInput; out: PictureInfo };
  /** What each format has no place for of a picture, before it is saved in one. */
  'picture.losses': { in: { id: PictureId }; out: Losses };
  /** A mask file of any kind as a gray picture of `size`, white where to repaint; its notices say what had to be guessed. */
  'mask.read': { in: { mask: PictureId; size: Extent }; out: PictureInfo };
  /** What turned one picture into another, done to another version of the first; null where it is no edit of its own. */
  'picture.carry': { in: { before: PictureId; after: PictureId; onto: PictureId }; out: PictureInfo | null };
  /** A picture laid over another of its size. Throws `request.invalid`. */
  'picture.blend': { in: BlendInput; out: PictureInfo };
  /** A picture turned, straightened and cut. Throws `request.invalid`. */
  'picture.frame': { in: { id: PictureId; framing: FramingInput }; out: PictureInfo };
  'picture.close': { in: { id: PictureId }; out: null };
  'instruction.check': { in: { pack: string; instruction: string }; out: InstructionReport };
  'edit.forecast': { in: EditRequestInput; out: Forecast };
  /** The control map of a request as the model sees it: of the whole source, at the model's size. */
  'control.preview': { in: EditRequestInput; out: PictureInfo };
  'checkpoints.describe': { in: ImportRequestInput; out: CheckpointReport };
  /** What is on a window's table, for the day that the program dies; null = nothing. */
  'journal.write': { in: { owner: string; project: ProjectInput | null }; out: null };
  /** What was on this window's table, or on the last one of a program that has ended. */
  'journal.recover': { in: { owner: string }; out: Project | null };
  /** Keeps a document that is closed, with everything; its pictures may be closed then. */
  'recent.keep': { in: RecentKeepInput; out: RecentDocument };
  'recent.list': { in: Record<string, never>; out: readonly RecentDocument[] };
  'recent.open': { in: { id: string }; out: Project };
  'recent.remove': { in: { id: string }; out: null };
  'preferences.read': { in: Record<string, never>; out: Preferences };
  'preferences.write': { in: Preferences; out: null };
  /** Asks the farm that is set; of a batch what became of each picture. */
  'farm.status': { in: { batch?: BatchId | undefined }; out: FarmStatus };
  'farm.cancel': { in: { batch: BatchId }; out: null };
  /** What failed or was cancelled waits again. */
  'farm.retry': { in: { batch: BatchId }; out: { readonly waiting: number } };
  'tokens.make': { in: { pack: string; source: PictureId }; out: TokenFile };
  'tokens.decode': { in: { tokens: TokenFile; format: OutputFormat }; out: PictureInfo };
}

/** What can be saved: a picture in a format, or a Photoshop file. */
export type SavedKind = OutputFormat | 'layers';

/** What a kind of file has no place for of a picture; where it cannot hold its sides, the longest that it can. */
export type Losses = Readonly<Record<SavedKind, { readonly notices: readonly Notice[]; readonly longestSide?: number }>>;

/** How a picture is to be saved. */
export interface ConvertInput {
  readonly id: PictureId;
  readonly format: OutputFormat;
  readonly quality: number;
  /** Absent = it stays. */
  readonly keepLocation?: boolean;
  /** Written into the file. */
  readonly recipe?: Recipe;
  /** Made ready for where it will be seen; absent = as it is. */
  readonly adapt?: Adaptation | undefined;
}

/** `above` lies over `below` with this opacity (0..1), where the mask is white or everywhere. */
export interface BlendInput {
  readonly below: PictureId;
  readonly above: PictureId;
  readonly opacity: number;
  readonly mask?: PictureId | undefined;
}

/** Work that reports as it goes; dropping the iteration cancels it. */
export interface Streams {
  'edit.run': { in: EditRequestInput; out: EditEvent };
  /** Makes a pack of files that authors published; leaving it early leaves nothing behind. */
  'checkpoints.import': { in: ImportRequestInput; out: ImportEvent };
  /** Compares every file of a pack with the size and digest in its card. */
  'packs.verify': { in: { name: string }; out: VerifyEvent };
  /** Fetches a known pack from the hub and imports it; what was fetched when it is left early is gone on with. */
  'packs.add': { in: AddRequestInput; out: AddEvent };
  /** A batch on other machines; leaving it early leaves it to them. */
  'farm.run': { in: FarmOrderInput; out: FarmEvent };
  /** The object of a picture that is pointed at, as a mask. */
  'object.select': { in: SelectWishInput; out: SelectEvent };
}

/** What a published transformer was trained for, and its side in pixels. */
export const CHECKPOINT_TASKS = ['edit', 'generate'] as const;
export type CheckpointTask = (typeof CHECKPOINT_TASKS)[number];
export const CHECKPOINT_SIDES = [256, 512, 1024] as const;
export type CheckpointSide = (typeof CHECKPOINT_SIDES)[number];

/** What the tensors leave open, as it was taken: only what there is a choice of. */
export interface TakenChoices {
  readonly task?: CheckpointTask;
  readonly pixels?: { readonly side: CheckpointSide; readonly sides: readonly CheckpointSide[] };
}

/** Published files by their absolute paths, and what their tensors do not say. */
export const ImportRequest = v.object({
  files: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))), v.minLength(1), v.maxLength(64)),
  /** Absent = that of the transformer's file. */
  name: v.optional(v.pipe(v.string(), v.maxLength(128))),
  /** Side of the picture that the transformer was trained for. */
  pixels: v.optional(v.picklist(CHECKPOINT_SIDES)),
  /** What a ControlAR transformer was trained to hold, where its file's name does not say. */
  control: v.optional(v.picklist(CONTROL_KINDS)),
  /** Whether a transformer edits (VAREdit) or draws from words alone (Infinity): their tensors are alike. Absent = by its file's name. */
  task: v.optional(v.picklist(CHECKPOINT_TASKS)),
  /** Of the transformer and the text encoder. */
  precision: v.optional(v.picklist(PRECISIONS), 'float32'),
  /** Weights that need no other precision stay where they are, and the pack reads them there. */
  inPlace: v.optional(v.boolean()),
  /** What the place that they come from says of their licence, where they say nothing themselves. */
  licence: v.optional(v.pipe(v.string(), v.maxLength(256))),
});
export type ImportRequest = v.InferOutput<typeof ImportRequest>;
export type ImportRequestInput = v.InferInput<typeof ImportRequest>;

/** A known pack, whose licences have been read. */
export const AddRequest = v.object({
  name: v.pipe(v.string(), v.maxLength(128)),
  precision: v.optional(v.picklist(PRECISIONS), 'float32'),
  acceptLicence: v.literal(true),
});
export type AddRequest = v.InferOutput<typeof AddRequest>;
type AddRequestInput = v.InferInput<typeof AddRequest>;

const nothing = v.strictObject({});
const name = v.pipe(v.string(), v.maxLength(128));
const picture = v.object({ id: PictureId });

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff));

/** The boundary: every input is parsed by its schema before anything else sees it. A gap does not compile. */
export const CALL_INPUTS = {
  'packs.list': nothing,
  'packs.info': v.object({ name }),
  'packs.remove': v.object({ name }),
  'packs.known': nothing,
  'packs.askHub': v.object({ name }),
  'providers.list': nothing,
  'machine.describe': nothing,
  'picture.describe': picture,
  'picture.convert': v.object({
    id: PictureId,
    format: v.picklist(OUTPUT_FORMATS),
    quality: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
    keepLocation: v.optional(v.boolean(), true),
    recipe: v.optional(Recipe),
    adapt: v.optional(Adaptation),
  }),
  'picture.losses': picture,
  'mask.read': v.object({ mask: PictureId, size: v.object({ width: side, height: side }) }),
  'picture.carry': v.object({ before: PictureId, after: PictureId, onto: PictureId }),
  'picture.blend': v.object({
    below: PictureId,
    above: PictureId,
    opacity: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
    mask: v.optional(PictureId),
  }),
  'picture.frame': v.object({ id: PictureId, framing: Framing }),
  'picture.close': picture,
  'instruction.check': v.object({ pack: name, instruction: v.string() }),
  'edit.forecast': EditRequest,
  'control.preview': EditRequest,
  'checkpoints.describe': ImportRequest,
  'journal.write': v.object({ owner: JournalOwner, project: v.nullable(Project) }),
  'journal.recover': v.object({ owner: JournalOwner }),
  'recent.keep': RecentKeep,
  'recent.list': nothing,
  'recent.open': v.object({ id: RecentId }),
  'recent.remove': v.object({ id: RecentId }),
  'preferences.read': nothing,
  'preferences.write': Preferences,
  'farm.status': v.object({ batch: v.optional(BatchId) }),
  'farm.cancel': v.object({ batch: BatchId }),
  'farm.retry': v.object({ batch: BatchId }),
  'tokens.make': v.object({ pack: name, source: PictureId }),
  'tokens.decode': v.object({ tokens: TokenFile, format: v.picklist(OUTPUT_FORMATS) }),
} as const satisfies Record<keyof Calls, v.GenericSchema>;

export const STREAM_INPUTS = {
  'edit.run': EditRequest,
  'checkpoints.import': ImportRequest,
  'packs.verify': v.object({ name }),
  'packs.add': AddRequest,
  'farm.run': FarmOrder,
  'object.select': SelectWish,
} as const satisfies Record<keyof Streams, v.GenericSchema>;

export type CallName = keyof Calls;
export type StreamName = keyof Streams;

/** What a host implements and a client holds: the same two functions over every wire. */
export interface Transport {
  call<N extends CallName>(name: N, input: Calls[N]['in']): Promise<Calls[N]['out']>;
  stream<N extends StreamName>(
    name: N,
    input: Streams[N]['in'],
    signal?: { readonly aborted: boolean; addEventListener(type: 'abort', listener: () => void): void },
  ): AsyncGenerator<Streams[N]['out'], void>;
}

/** A client's whole view of the service: the contract, and the way that files take beside it, as what the client holds bytes in. */
export interface Link<Bytes> extends Transport {
  upload(bytes: Bytes, name: string): Promise<PictureInfo>;
  download(id: PictureId): Promise<Bytes>;
  /** A project's file, of this version or an older one. */
  openProject(file: Bytes): Promise<Project>;
  saveProject(project: ProjectInput): Promise<Bytes>;
  /** A document as a Photoshop file. */
  saveLayers(layers: LayersWish): Promise<Bytes>;
}
