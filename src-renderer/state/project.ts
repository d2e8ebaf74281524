import type { Project, ProjectInput } from '#contract/project.js';
import type { Settings } from '#document/request.js';
import type { Pictures } from './pictures.js';
import type { Sheet, ShownResult } from './sheets.js';

/** What is on the table, in values that can be drawn. */
export interface Table {
  readonly sheets: readonly Sheet[];
  readonly open: number;
  readonly settings: Settings;
  readonly results: readonly ShownResult[];
  readonly chosen: number;
}

export function isProjectName(name: string): boolean {
  return name.toLowerCase().endsWith('.scalebrush');
}

/** Named after the photograph that it began with. */
export function projectFileName([first]: readonly Sheet[]): string {
  return `${first?.picture.info.name.replace(/\.[^.]*$/u, '') ?? ''}.scalebrush`;
}

/** The same as a document that outlives the window. */
export function projectOf({ sheets, results, settings, ...rest }: Table): ProjectInput {
  // A schema's input may be written to; nobody does.
  return {
    ...rest,
    settings: present(settings),
    sheets: sheets.map(({ picture, ...sheet }) => ({ ...sheet, picture: picture.info.id })),
    results: results.map(({ candidate, request, margins, totalMs }) => ({ candidate, request, margins, totalMs })),
  } as ProjectInput;
}

/** What JSON keeps: settings that are not said are left out. */
function present(settings: Settings): Partial<Settings> {
  const { control, ...others } = settings;
  const said = (part: object) => Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined));
  return { ...said(others), control: said(control) as unknown as Settings['control'] };
}

/** Brings a document's pictures to the window, one after the other. */
export async function tableOf(project: Project, pictures: Pictures, defaults: Settings): Promise<Table> {
  const sheets: Sheet[] = [];
  for (const sheet of project.sheets) sheets.push({ ...sheet, picture: await pictures.show(sheet.picture) });
  const results: ShownResult[] = [];
  for (const result of project.results) results.push({ ...result, ...(await pictures.show(result.candidate.picture)) } as ShownResult);
  const { control, ...settings } = project.settings;
  const chosen = { ...defaults, ...settings, control: { ...defaults.control, ...control } } as Settings;
  return { sheets, open: project.open, settings: chosen, results, chosen: project.chosen };
}
