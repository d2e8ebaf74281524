import type { Adaptation } from '#contract/adaptation.js';
import type { Losses, PictureInfo } from '#contract/api.js';
import type { LayersWish } from '#contract/layers.js';
import type { ProjectInput } from '#contract/project.js';
import type { Recipe } from '#contract/recipe.js';
import type { OutputFormat, PictureId } from '#contract/request.js';
import { SvelteSet } from 'svelte/reactivity';
import { encodeGreyPng } from '#canvas/mask-png.js';
import { rasterise } from '#document/mask.js';
import { asItWas } from './rechain.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { SavedFile, Services } from './pictures.js';
import { endingOf, fileName } from './project.js';
import type { Sheet, ShownResult } from './sheets.js';

export interface SaveWish {
  readonly format: OutputFormat;
  readonly quality: number;
  readonly keepLocation: boolean;
  /** The wish and its tokens are written into the file. */
  readonly recipe: boolean;
  /** For where it will be seen; absent = as it is. */
  readonly adapt?: Adaptation | undefined;
}

/** What there is to be saved. */
export interface ExporterContext {
  readonly document: PhotoDocument;
  readonly result: ShownResult | undefined;
  readonly project: ProjectInput | undefined;
  /** What fails is said, and is undefined. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

const FULL_QUALITY = 100;

/** Hands out what was made: as a picture, as a project, as layers. */
export class Exporter {
  /** Pictures that a file of the user's holds. */
  readonly filed = new SvelteSet<PictureId>();
  readonly #context: ExporterContext;
  readonly #services: Services;

  constructor(context: ExporterContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /** What is known of the picture that is shown. */
  get info(): PictureInfo | undefined {
    return (this.#context.result ?? this.#context.document.source)?.info;
  }

  /** No file holds what is shown yet, which is more than was opened. */
  get isUnsaved(): boolean {
    const { info } = this;
    const [first] = this.#context.document.sheets;
    return info !== undefined && info.id !== first?.picture.info.id && !this.filed.has(info.id);
  }

  /** How it came about; undefined where no model had a part in it. */
  get recipe(): Recipe | undefined {
    const { result, document } = this.#context;
    if (!result) return document.recipe && { ...withOpacity(document.recipe, document.sheet().opacity), ...this.#framings };
    const { seed, tokens } = result.candidate;
    return { request: result.request, seed, tokens, ...this.#framings };
  }

  /** How the photograph was framed before. */
  get #framings(): Pick<Recipe, 'framings'> {
    const { sheets, step } = this.#context.document;
    const framings = sheets.slice(0, step + 1).flatMap(({ framing, hidden }) => (framing && !hidden ? [framing] : []));
    return framings.length > 0 ? { framings } : {};
  }

  /** The picture that is shown; undefined where there is none, or where it failed. */
  async save({ recipe: told, adapt, ...wish }: SaveWish): Promise<SavedFile | undefined> {
    const { info, recipe } = this;
    return (
      info &&
      this.#context.attempt(() =>
        this.#services.pictures.export(info, { ...wish, ...(adapt && { adapt }), ...(told && recipe && { recipe }) }),
      )
    );
  }

  /** What each kind of file has no place for of the picture that is shown; undefined where that cannot be said. */
  async losses(): Promise<Losses | undefined> {
    const { info } = this;
    return info && this.#services.link.call('picture.losses', { id: info.id }).catch(() => undefined);
  }

  /** The whole document. */
  async saveProject(): Promise<SavedFile | undefined> {
    const { project } = this.#context;
    return (
      project && this.#context.attempt(async () => ({ file: await this.#services.link.saveProject(project), name: this.nameAs('project') }))
    );
  }

  /** The document as a Photoshop file: the photograph and every step as layers. */
  async saveLayers(): Promise<SavedFile | undefined> {
    return this.#context.attempt(async () => ({
      file: await this.#services.link.saveLayers(await this.#layers()),
      name: this.nameAs('layers'),
    }));
  }

  /** The picture that is shown as a PNG that says nothing of how or where it came about; for other programs. */
  async copy(): Promise<Blob | undefined> {
    return (await this.save({ format: 'png', quality: FULL_QUALITY, keepLocation: false, recipe: false }))?.file;
  }

  /** Where a browser fetches the picture that is shown, with its type and name, as a drag says it to other programs. */
  get dragged(): string | undefined {
    const { info } = this;
    return info && `image/${info.format}:${info.name.replace(/:/gu, '_')}:${this.#services.link.addressOf(info.id)}`;
  }

  /** The photograph's own name, however often it was worked on. */
  nameAs(kind: OutputFormat | 'project' | 'layers'): string {
    const { sheets } = this.#context.document;
    const ending = kind === 'project' ? 'scalebrush' : kind === 'layers' ? 'psd' : endingOf(kind, sheets);
    return fileName(sheets, ending);
  }

  async #layers(): Promise<LayersWish> {
    const { pictures } = this.#services;
    const all = this.#context.document.sheets;
    // What lies below a cut is of another size: the picture as it was cut is the lowest.
    const sheets = all.slice(
      Math.max(
        0,
        all.findLastIndex(({ framing, hidden }) => framing && !hidden),
      ),
    );
    const layers: LayersWish['layers'] = [];
    for (const [index, { held, ...sheet }] of sheets.entries()) {
      const size = sheets[index - 1]?.picture.info.size;
      const mask =
        held && size && (await pictures.upload(await encodeGreyPng({ extent: size, top: 0, rows: rasterise(held, size) }), 'mask.png'));
      layers.push({ ...placeOf(sheets, index), ...layerOf(sheet), ...(mask && { mask: mask.id }) });
    }
    return { layers };
  }
}

/** A wish that is run again lies as strongly over its photograph. */
function withOpacity(recipe: Recipe, opacity: number | undefined): Recipe {
  return opacity === undefined ? recipe : { ...recipe, request: { ...recipe.request, opacity: opacity * (recipe.request.opacity ?? 1) } };
}

function layerOf({ picture, recipe, hidden = false, change }: Sheet): Pick<LayersWish['layers'][number], 'name' | 'picture' | 'hidden'> {
  const { instruction = '', task = '' } = recipe?.request ?? {};
  const name = recipe ? instruction.trim() || task : picture.info.name;
  return { name: name.slice(0, 255), picture: asItWas({ picture, hidden, change }), hidden };
}

/** Steps behind it may have made the picture larger. */
function placeOf(sheets: readonly Sheet[], index: number): { readonly left: number; readonly top: number } {
  const borders = sheets.slice(index + 1).map(({ recipe, hidden }) => (hidden ? undefined : recipe?.request.margins));
  return {
    left: borders.reduce((sum, margins) => sum + (margins?.left ?? 0), 0),
    top: borders.reduce((sum, margins) => sum + (margins?.top ?? 0), 0),
  };
}
