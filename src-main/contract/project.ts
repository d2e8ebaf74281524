import * as v from 'valibot';
import { Framing } from './framing.js';
import { HeldSources, MaskHistory, MaskList } from './mask.js';
import { Recipe } from './recipe.js';
import { CONTROL_KINDS, EditRequest, Margins, PictureId, PRESETS, PROVIDERS, Temperature, TokenFile } from './request.js';

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const count = v.optional(v.number());

/** A control map of the user's own. */
const OwnMap = v.object({ id: PictureId, name: v.string() });

/** What the panels hold, as far as it is not the default. */
const ProjectSettings = v.object({
  instruction: v.optional(v.string()),
  preset: v.optional(v.picklist(PRESETS)),
  margins: v.optional(Margins),
  control: v.optional(
    v.object({
      kind: v.picklist(['none', ...CONTROL_KINDS]),
      strength: v.number(),
      fromScale: v.number(),
      toScale: count,
      low: v.number(),
      high: v.number(),
      blur: v.optional(v.number(), 0),
      near: v.optional(v.number(), 1),
      far: v.optional(v.number(), 0),
      estimator: v.optional(v.string()),
      invert: v.boolean(),
      map: v.optional(OwnMap),
    }),
  ),
  pack: v.optional(v.string()),
  provider: v.optional(v.picklist(PROVIDERS)),
  seed: count,
  guidance: count,
  guidanceUntil: count,
  temperature: v.optional(Temperature),
  topP: count,
  topK: count,
  scaleCount: count,
  modelSide: count,
  count,
  whole: v.optional(v.boolean()),
  padded: v.optional(v.boolean()),
  blend: count,
  structure: count,
  opacity: count,
  detail: v.optional(v.union([v.picklist(['auto', 'off']), v.number()])),
});

/** Changes of the settings while a picture was open; those behind `length` can be redone. */
const SettingsChanges = v.object({
  steps: v.pipe(v.array(v.object({ was: ProjectSettings, is: ProjectSettings, mask: whole })), v.maxLength(100_000)),
  length: whole,
});

/** A picture with the mask on it: a step. */
const ProjectSheet = v.object({
  picture: PictureId,
  mask: MaskHistory,
  /** All masks, where there are several; the active one is `mask`. */
  masks: v.optional(MaskList),
  changes: v.optional(SettingsChanges),
  /** Nothing was ever on it. */
  blank: v.boolean(),
  /** Absent for a picture that was opened. */
  recipe: v.optional(Recipe),
  /** The mask that the wish was held to. */
  held: v.optional(MaskHistory),
  /** What detail was not to be copied from then, or all that it was. */
  copied: v.optional(HeldSources),
  /** The control map of one's own that the wish was held to. */
  map: v.optional(OwnMap),
  /** The run itself: what it was given and what it made, whatever has become of the steps before it. */
  change: v.optional(v.object({ before: PictureId, after: PictureId })),
  /** The step turned, straightened or cut the picture; nothing else was done. */
  framing: v.optional(Framing),
  /** How strongly the step lies over the one before, 0..1; absent = in full. */
  opacity: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
  /** Left out: the picture is that of the step before. */
  hidden: v.optional(v.boolean()),
  /** A step that it builds on has changed since. */
  stale: v.optional(v.boolean()),
});

/** A state of the steps, as numbers of sheets: those of the document first, then `others`. */
const ProjectTable = v.object({ sheets: v.pipe(v.array(whole), v.minLength(1), v.maxLength(1000)), open: whole });
/** A deed on the steps that can be undone or redone. */
const ProjectDeed = v.object({ before: ProjectTable, after: ProjectTable });
const Deeds = v.optional(v.pipe(v.array(ProjectDeed), v.maxLength(1000)), []);

/** How the detail scales of a result went: without it, a stopped one could not go on. */
const DetailReport = v.object({
  lead: v.number(),
  ledBy: v.picklist(['model', 'photograph']),
  scale: whole,
  of: whole,
  seeds: v.pipe(v.array(whole), v.maxLength(64)),
});

const ProjectResult = v.object({
  candidate: v.object({
    index: whole,
    picture: PictureId,
    changedMask: v.optional(PictureId),
    tokens: TokenFile,
    seed: whole,
    changedPixels: whole,
    changedOutsideMask: whole,
    onlyAnswer: v.optional(v.literal(true)),
    detail: v.optional(DetailReport),
  }),
  request: Recipe.entries.request,
  margins: Margins,
  totalMs: v.number(),
  map: v.optional(OwnMap),
});

const Size = v.object({ width: whole, height: whole });

/** A run that was asked for and is not made yet: all that it is told, as it was then. What is painted follows from the masks. */
const WaitingRun = v.object({
  verb: v.picklist(['edit', 'fill', 'expand', 'generate']),
  settings: ProjectSettings,
  /** Of the picture that it was asked for on: the pixels in which the masks lie. */
  size: Size,
  /** Where to repaint; absent = nothing was painted. */
  mask: v.optional(MaskHistory),
  /** What detail is not to be copied from, or all that it is. */
  copied: v.optional(HeldSources),
  /** A picture is drawn in the place of what is there. */
  anew: v.optional(v.object({ size: Size, blank: v.boolean() })),
  /** What is painted goes, and what comes of it is kept as a step. */
  removes: v.optional(v.literal(true)),
  /** Where it begins or ends otherwise than the settings say. */
  detour: v.optional(
    v.partial(
      v.pick(EditRequest, ['resume', 'redraw', 'stopAtScale', 'stopAtDetail', 'detailSeeds', 'seed', 'count', 'temperature'] as const),
    ),
  ),
});

/** Who writes a journal: one window. */
export const JournalOwner = v.pipe(v.string(), v.regex(/^[a-z0-9-]{8,64}$/u, 'Expected the id of a window.'));

/** A document that lies beside others; `open` is the one that is told of here, the others are found among the recent ones. */
const ProjectTab = v.object({
  name: v.pipe(v.string(), v.maxLength(4096)),
  id: v.optional(JournalOwner),
  /** How many runs wait for it. */
  waiting: v.optional(whole),
  open: v.optional(v.literal(true)),
});

/** A document: the photograph, every kept step behind it, and what lies on the table. Nothing in it is a path. */
export const Project = v.pipe(
  v.object({
    sheets: v.pipe(v.array(ProjectSheet), v.minLength(1), v.maxLength(1000)),
    /** The sheet that is open; those behind it can be redone. */
    open: whole,
    settings: ProjectSettings,
    /** Candidates that were neither kept nor discarded. */
    results: v.optional(v.pipe(v.array(ProjectResult), v.maxLength(16)), []),
    chosen: v.optional(whole, 0),
    /** Sheets that only deeds name. */
    others: v.optional(v.pipe(v.array(ProjectSheet), v.maxLength(100_000)), []),
    done: Deeds,
    undone: Deeds,
    /** The step that the next kept result replaces. */
    replacing: v.optional(whole),
    /** Runs that are yet to be made, in their order; the first may have been at work. */
    waiting: v.optional(v.pipe(v.array(WaitingRun), v.maxLength(1000))),
    /** Those of its pictures that a file of the user's holds. */
    filed: v.optional(v.pipe(v.array(PictureId), v.maxLength(100_000))),
    /** Of a window whose documents come back, all of them in their order. */
    tabs: v.optional(v.pipe(v.array(ProjectTab), v.maxLength(1000))),
  }),
  v.check(({ sheets, open }) => open < sheets.length, 'Expected the number of one of its sheets for open.'),
  v.check(({ sheets, others, done, undone }) => {
    const tables = [...done, ...undone].flatMap(({ before, after }) => [before, after]);
    const count = sheets.length + others.length;
    return tables.every((table) => table.open < table.sheets.length && table.sheets.every((sheet) => sheet < count));
  }, 'Expected the numbers of its sheets for deeds.'),
);
export type Project = v.InferOutput<typeof Project>;
export type ProjectInput = v.InferInput<typeof Project>;

/** Every picture that a project names. */
export function picturesOf({ sheets, others, results, settings, waiting = [] }: Project): readonly PictureId[] {
  const candidates = results.flatMap(({ candidate, map }) => [candidate.picture, candidate.changedMask, map?.id]);
  const steps = [...sheets, ...others].flatMap(({ picture, change, map }) => [picture, change?.before, change?.after, map?.id]);
  const all = [...steps, ...candidates, ...[settings, ...waiting.map((run) => run.settings)].map(({ control }) => control?.map?.id)];
  return [...new Set(all.filter((id) => id !== undefined))];
}

/** The same project with its pictures under other names. */
export function withPictures(project: Project, nameOf: (id: PictureId) => PictureId): Project {
  const { waiting, filed } = project;
  return {
    ...project,
    sheets: project.sheets.map((sheet) => renamedSheet(sheet, nameOf)),
    others: project.others.map((sheet) => renamedSheet(sheet, nameOf)),
    results: project.results.map((result) => ({ ...result, candidate: renamed(result.candidate, nameOf), ...renamedMap(result, nameOf) })),
    settings: renamedSettings(project.settings, nameOf),
    ...(waiting && { waiting: waiting.map((run) => ({ ...run, settings: renamedSettings(run.settings, nameOf) })) }),
    ...(filed && { filed: filed.map(nameOf) }),
  };
}

function renamedSettings(settings: Project['settings'], nameOf: (id: PictureId) => PictureId): Project['settings'] {
  const { control } = settings;
  return { ...settings, ...(control && { control: { ...control, ...renamedMap(control, nameOf) } }) };
}

function renamedSheet(sheet: Project['sheets'][number], nameOf: (id: PictureId) => PictureId): Project['sheets'][number] {
  const { picture, change } = sheet;
  const renamedChange = change && { change: { before: nameOf(change.before), after: nameOf(change.after) } };
  return { ...sheet, picture: nameOf(picture), ...renamedChange, ...renamedMap(sheet, nameOf) };
}

function renamedMap({ map }: { map?: v.InferOutput<typeof OwnMap> | undefined }, nameOf: (id: PictureId) => PictureId) {
  return map && { map: { ...map, id: nameOf(map.id) } };
}

type Candidate = Project['results'][number]['candidate'];

function renamed(candidate: Candidate, nameOf: (id: PictureId) => PictureId): Candidate {
  const { picture, changedMask } = candidate;
  return { ...candidate, picture: nameOf(picture), ...(changedMask !== undefined && { changedMask: nameOf(changedMask) }) };
}
