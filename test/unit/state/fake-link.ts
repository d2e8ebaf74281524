import type { Calls, ImportEvent, ImportRequestInput, PictureInfo, StreamName } from '#contract/api.js';
import { CancelledError } from '#contract/errors.js';
import type { EditEvent, RunPlan } from '#contract/event.js';
import type { LayersWish } from '#contract/layers.js';
import type { Project, ProjectInput } from '#contract/project.js';
import type { EditRequestInput } from '#contract/request.js';
import type { PageLink } from '#link/http.js';

export const SCHEDULE = [
  [1, 1],
  [2, 2],
  [4, 4],
] as const;

type Table = { [N in keyof Calls]?: (input: Calls[N]['in']) => Calls[N]['out'] | Promise<Calls[N]['out']> };

/** A link that answers what it was taught and refuses everything else; runs are fed event by event. */
export class FakeLink implements PageLink {
  readonly table: Table;
  readonly requests: EditRequestInput[] = [];
  readonly closed: string[] = [];
  readonly asked: string[] = [];
  events: readonly (EditEvent | Promise<EditEvent>)[] = [];
  #count = 0;

  constructor() {
    this.table = {
      'packs.list': () => [],
      'providers.list': () => [{ name: 'cpu', available: true }],
      'packs.info': ({ name }) =>
        ({
          name,
          card: { config: { transformer: { scales: SCHEDULE, rotary: { kind: 'normalised', base: 100 } } }, defaults: { temperature: 0 } },
        }) as unknown as Calls['packs.info']['out'],
      'recent.list': () => [],
      'recent.keep': ({ project: _, id = 'recent-1', ...said }) => ({ ...said, id, closedMs: 1 }),
      'picture.describe': ({ id }) => infoOf(id),
      'picture.close': ({ id }) => {
        this.closed.push(id);
        return null;
      },
      'picture.convert': ({ id, format }) => ({ ...infoOf(`${id}-as-${format}`), format }),
      'instruction.check': () => ({ unknownWords: [], understands: [], known: true, cut: false }),
      'edit.forecast': () => ({ best: COST, balanced: COST, fast: COST, draft: COST, availableBytes: 1e9 }),
    };
  }

  async call<N extends keyof Calls>(name: N, input: Calls[N]['in']): Promise<Calls[N]['out']> {
    this.asked.push(name);
    const answer = this.table[name];
    if (!answer) throw new Error(`Expected a call that was taught but received ${name}.`);
    return answer(input);
  }

  /** What an import tells, and what was asked to be imported. */
  importEvents: readonly ImportEvent[] = [];
  readonly imports: ImportRequestInput[] = [];

  stream = ((name: StreamName, input: object, signal?: Parameters<PageLink['stream']>[2]) =>
    name === 'edit.run' ? this.#run(input as EditRequestInput, signal) : this.#import(input as ImportRequestInput)) as PageLink['stream'];

  async *#import(input: ImportRequestInput): AsyncGenerator<ImportEvent, void> {
    this.imports.push(input);
    for (const event of this.importEvents) yield await Promise.resolve(event);
  }

  async *#run(input: EditRequestInput, signal?: Parameters<PageLink['stream']>[2]): AsyncGenerator<EditEvent, void> {
    this.requests.push(input);
    const cancelled = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => {
        reject(new CancelledError('Cancelled.'));
      });
    });
    cancelled.catch(() => undefined);
    for (const event of this.events) yield await Promise.race([event, cancelled]);
  }

  async upload(_bytes: Blob, name: string): Promise<PictureInfo> {
    this.#count += 1;
    return { ...infoOf(`upload-${this.#count}`), name };
  }

  /** What a project's file holds, whatever is in it. */
  project: Project | undefined;
  readonly saved: ProjectInput[] = [];

  async openProject(): Promise<Project> {
    if (!this.project) throw new Error('Expected a project that was taught.');
    return this.project;
  }

  async saveProject(project: ProjectInput): Promise<Blob> {
    this.saved.push(project);
    return new Blob(['project']);
  }

  readonly layered: LayersWish[] = [];

  async saveLayers(layers: LayersWish): Promise<Blob> {
    this.layered.push(layers);
    return new Blob(['layers']);
  }

  presence = (): Promise<{ readonly ended: Promise<void> }> => Promise.resolve({ ended: new Promise(() => undefined) });

  licences(): Promise<string> {
    return Promise.resolve('MIT License');
  }

  addressOf(id: string): string {
    return `http://studio/${id}`;
  }

  async download(id: string): Promise<Blob> {
    return new Blob([id]);
  }
}

const COST = { ms: 1000, bytes: 1, layers: 8 };

export function infoOf(id: string, width = 40, height = 30): PictureInfo {
  return {
    id,
    name: `${id}.png`,
    size: { width, height },
    format: 'png',
    bitDepth: 8,
    hasAlpha: false,
    hasProfile: false,
    hasLocation: false,
    notices: [],
  };
}

export const STARTED: EditEvent = { type: 'started', plan: planOf() };

function planOf(): RunPlan {
  const size = { width: 40, height: 30 };
  const crop = { x: 0, y: 0, ...size };
  return {
    pack: 'studio',
    preset: 'balanced',
    provider: 'cpu',
    schedule: SCHEDULE,
    crop,
    size,
    estimateMs: 1,
    estimateBytes: 1,
    notices: [],
  };
}

export function scaleEvents(scale: number): readonly EditEvent[] {
  const place = { candidate: 0, scale, of: SCHEDULE.length, ms: 5 };
  return [
    { type: 'scale', ...place, tokens: 1 },
    { type: 'preview', ...place, picture: `preview-${scale}` },
  ];
}

export function ending(picture: string): readonly EditEvent[] {
  const tokens = { pack: 'studio', schedule: [[1, 1] as [number, number]], tokens: [['0']] };
  const timingsMs = { load: 0, text: 0, source: 0, scales: [], previews: [], decode: 0, composite: 0, total: 12 };
  return [
    {
      type: 'candidate',
      candidate: { index: 0, picture, changedMask: `${picture}-changed`, tokens, seed: 0, changedPixels: 3, changedOutsideMask: 0 },
    },
    { type: 'done', timingsMs, peakRssBytes: 1, size: { width: 40, height: 30 }, provider: 'cpu' },
  ];
}

export function wholeRun(picture: string): readonly EditEvent[] {
  return [STARTED, ...SCHEDULE.flatMap((_, k) => scaleEvents(k + 1)), ...ending(picture)];
}
