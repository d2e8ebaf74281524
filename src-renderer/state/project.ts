import type { Project, ProjectInput } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';
import type { Settings } from '#document/request.js';
import type { Pictures, ShownPicture } from './pictures.js';
import type { QueuedRun } from './run-order.js';
import { sameSheet, type UndoEntry, type Sheet, type ShownResult, type Steps } from './sheets.js';

/** What is on the table, in values that can be drawn. */
export interface Table extends Steps {
  readonly settings: Settings;
  readonly results: readonly ShownResult[];
  readonly chosen: number;
  readonly done: readonly UndoEntry[];
  readonly undone: readonly UndoEntry[];
  /** The step that the next kept result replaces. */
  readonly replacing: number | undefined;
  /** Runs that are yet to be made. */
  readonly waiting: readonly QueuedRun[];
  /** Pictures that a file of the user's holds. */
  readonly filed: Iterable<PictureId>;
}

export function isProjectName(name: string): boolean {
  return name.toLowerCase().endsWith('.scalebrush');
}

/** What a file of a kind is called at its end; a photograph that says it another way keeps that. */
const ENDINGS: Readonly<Record<string, readonly string[]>> = { jpeg: ['jpg', 'jpeg', 'jpe'], tiff: ['tiff', 'tif'] };

/** The ending for a format: the photograph's own where it is of that format. */
export function endingOf(format: string, [first]: readonly Sheet[]): string {
  const own = /\.([^.]+)$/u.exec(first?.picture.info.name ?? '')?.[1]?.toLowerCase() ?? '';
  const endings = ENDINGS[format] ?? [format];
  return endings.includes(own) ? own : (endings[0] ?? format);
}

/** Named after the photograph that it began with. */
export function fileName([first]: readonly Sheet[], extension: string): string {
  return `${first?.picture.info.name.replace(/\.[^.]*$/u, '') ?? ''}.${extension}`;
}

/** The same as a document that outlives the window. */
export function projectOf({ sheets, results, settings, done, undone, waiting, filed, ...rest }: Table): ProjectInput {
  const all = [...sheets];
  const numbered = entriesNumbered(all);
  const deeds = { done: done.map(numbered), undone: undone.map(numbered) };
  const own = new Set([...all.map(({ picture }) => picture.info.id), ...results.map(({ info }) => info.id)]);
  const inFiles = [...filed].filter((id) => own.has(id));
  // A schema's input may be written to; nobody does.
  return {
    ...rest,
    settings: present(settings),
    ...deeds,
    sheets: sheets.map(stored),
    others: all.slice(sheets.length).map(stored),
    ...(waiting.length > 0 && { waiting: waiting.map(storedRun) }),
    ...(inFiles.length > 0 && { filed: inFiles }),
    results: results.map(({ candidate, request, margins, totalMs, map }) => ({ candidate, request, margins, totalMs, map })),
  } as ProjectInput;
}

function stored({ picture, ...sheet }: Sheet) {
  return { ...sheet, picture: picture.info.id };
}

function storedRun({ order: { settings, ...order }, detour }: QueuedRun) {
  return { ...order, settings: present(settings), ...(detour && { detour }) };
}

/** Sheets that are not there yet join the others. */
function entriesNumbered(all: Sheet[]) {
  const numberOf = (sheet: Sheet): number => {
    const found = all.findIndex((other) => other === sheet || sameSheet(other, sheet));
    return found < 0 ? all.push(sheet) - 1 : found;
  };
  const tableOfNumbers = ({ sheets, open }: Steps) => ({ sheets: sheets.map(numberOf), open });
  return ({ before, after }: UndoEntry) => ({ before: tableOfNumbers(before), after: tableOfNumbers(after) });
}

/** What JSON keeps: settings that are not said are left out. */
function present(settings: Settings): Partial<Settings> {
  const { control, ...others } = settings;
  const said = (part: object) => Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
  return { ...said(others), control: said(control) as unknown as Settings['control'] };
}

/** Brings a document's pictures to the window, one after the other. */
export async function tableOf(project: Project, pictures: Pictures, defaults: Settings): Promise<Table> {
  const shown = new Map<PictureId, ShownPicture>();
  const sheets: Sheet[] = [];
  for (const [index, sheet] of [...project.sheets, ...project.others].entries()) {
    const picture = shown.get(sheet.picture) ?? (await pictures.show(sheet.picture));
    shown.set(sheet.picture, picture);
    sheets.push({ ...withChange(sheet, index < project.sheets.length ? project.sheets[index - 1] : undefined), picture } as Sheet);
  }
  const results: ShownResult[] = [];
  for (const result of project.results) results.push({ ...result, ...(await pictures.show(result.candidate.picture)) } as ShownResult);
  return {
    sheets: sheets.slice(0, project.sheets.length),
    open: project.open,
    settings: wholeSettings(project.settings, defaults),
    results,
    chosen: project.chosen,
    done: project.done.map((entry) => entryOf(entry, sheets)),
    undone: project.undone.map((entry) => entryOf(entry, sheets)),
    replacing: project.replacing,
    waiting: (project.waiting ?? []).map(({ settings, detour, ...order }) => ({
      order: { ...order, settings: wholeSettings(settings, defaults) },
      detour,
    })),
    filed: project.filed ?? [],
  };
}

function wholeSettings({ control, ...settings }: Project['settings'], defaults: Settings): Settings {
  return { ...defaults, ...settings, control: { ...defaults.control, ...control } } as Settings;
}

/** Projects of version 1 do not say what a step was given: it was the step before, with the mask that is on it. */
function withChange(sheet: Project['sheets'][number], before: Project['sheets'][number] | undefined): Project['sheets'][number] {
  if (!before || sheet.change || !sheet.recipe) return sheet;
  const held = before.mask.length > 0 && { held: before.mask };
  return { ...sheet, ...held, change: { before: before.picture, after: sheet.picture } };
}

function entryOf({ before, after }: Project['done'][number], sheets: readonly Sheet[]): UndoEntry {
  const stepsOf = (table: typeof before): Steps => ({ ...table, sheets: table.sheets.flatMap((number) => sheets[number] ?? []) });
  return { before: stepsOf(before), after: stepsOf(after) };
}
