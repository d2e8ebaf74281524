import * as v from 'valibot';
import { MaskHistory } from './mask.js';
import { CONTROL_KINDS, EditRequest, Margins, PictureId, PRESETS, PROVIDERS, TokenFile } from './request.js';

const whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const count = v.optional(v.number());

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
      invert: v.boolean(),
      map: v.optional(v.object({ id: PictureId, name: v.string() })),
    }),
  ),
  pack: v.optional(v.string()),
  provider: v.optional(v.picklist(PROVIDERS)),
  seed: count,
  guidance: count,
  temperature: count,
  topP: count,
  count,
  whole: v.optional(v.boolean()),
  blend: count,
  structure: count,
});

/** How a picture came about: the wish without the pictures that it named, and the tokens that answered it. */
const Recipe = v.object({
  request: v.omit(EditRequest, ['source', 'mask', 'resume', 'previews', 'output']),
  seed: whole,
  tokens: TokenFile,
});
export type Recipe = v.InferInput<typeof Recipe>;

/** A picture with the mask on it. */
const ProjectSheet = v.object({
  picture: PictureId,
  mask: MaskHistory,
  /** Nothing was ever on it. */
  blank: v.boolean(),
  /** Absent for a picture that was opened. */
  recipe: v.optional(Recipe),
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
  }),
  request: Recipe.entries.request,
  margins: Margins,
  totalMs: v.number(),
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
  }),
  v.check(({ sheets, open }) => open < sheets.length, 'Expected the number of one of its sheets for open.'),
);
export type Project = v.InferOutput<typeof Project>;
export type ProjectInput = v.InferInput<typeof Project>;

/** Who writes a journal: one window. */
export const JournalOwner = v.pipe(v.string(), v.regex(/^[a-z0-9-]{8,64}$/u, 'Expected the id of a window.'));

/** Every picture that a project names. */
export function picturesOf({ sheets, results, settings }: Project): readonly PictureId[] {
  const candidates = results.flatMap(({ candidate }) => [candidate.picture, candidate.changedMask]);
  const all = [...sheets.map(({ picture }) => picture), ...candidates, settings.control?.map?.id];
  return [...new Set(all.filter((id) => id !== undefined))];
}

/** The same project with its pictures under other names. */
export function withPictures(project: Project, nameOf: (id: PictureId) => PictureId): Project {
  const { control } = project.settings;
  return {
    ...project,
    sheets: project.sheets.map((sheet) => ({ ...sheet, picture: nameOf(sheet.picture) })),
    results: project.results.map((result) => ({ ...result, candidate: renamed(result.candidate, nameOf) })),
    settings: {
      ...project.settings,
      ...(control?.map && { control: { ...control, map: { ...control.map, id: nameOf(control.map.id) } } }),
    },
  };
}

type Candidate = Project['results'][number]['candidate'];

function renamed(candidate: Candidate, nameOf: (id: PictureId) => PictureId): Candidate {
  const { picture, changedMask } = candidate;
  return { ...candidate, picture: nameOf(picture), ...(changedMask !== undefined && { changedMask: nameOf(changedMask) }) };
}
