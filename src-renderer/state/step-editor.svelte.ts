import { sameExtent } from '#base/geometry.js';
import type { Framing } from '#contract/framing.js';
import type { Notice } from '#contract/event.js';
import { EMPTY_MASK } from '#document/mask.js';
import { framedMask, framedMasks, reframingOf, type Reframing } from '#document/framing.js';
import { activeMask, heldTo } from '#document/mask-list.js';
import { settingsOf } from '#document/request.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { Services } from './pictures.js';
import { rechained } from './rechain.js';
import type { Detour, Phase, Sheet, Steps } from './sheets.js';
import type { Wish } from './wish.svelte.js';

/** What the studio lends for work on steps. */
export interface StepEditorContext {
  readonly document: PhotoDocument;
  readonly phase: Phase;
  notices: readonly Notice[];
  showStep(): void;
  readonly wish: Wish;
  run(detour: Detour): Promise<void>;
  keep(): void;
  /** What fails is said. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** Work on steps that are not the last: none of it loses a picture, and all of it can be undone. */
export class StepEditor {
  /** The step that the next kept result replaces. */
  replacing = $state<number>();
  /** Pictures are being put together. */
  busy = $state(false);

  /** The later steps are following one that was replaced. */
  #following: Promise<void> | undefined;
  readonly #context: StepEditorContext;
  readonly #services: Services;

  constructor(context: StepEditorContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /** Brings the wish and the mask of a step to the window; the next result that is kept takes its place. */
  edit(step: number): boolean {
    const { document } = this.#context;
    const { sheets } = document;
    const { recipe, held, copied, map } = sheets[step] ?? {};
    if (!recipe || step === 0 || this.busy) return false;
    this.#context.wish.settle();
    document.place({ sheets, open: step - 1 });
    document.mask.take(heldTo(document.mask.list, held ?? EMPTY_MASK, copied));
    this.#context.showStep();
    const settings = settingsOf(recipe);
    this.#context.wish.take(settings.control ? { ...settings, control: { ...settings.control, map } } : settings);
    this.replacing = step;
    return true;
  }

  /** Makes a step anew on what is below it now; one that was re-rolled is so again, unless it is to be another. */
  async rerun(step: number, another?: Detour): Promise<void> {
    const { recipe } = this.#context.document.sheets[step] ?? {};
    const detour = another ?? { ...(recipe?.request.redraw && { redraw: recipe.request.redraw }) };
    if (!this.edit(step)) return;
    await this.#context.run({ count: 1, ...detour });
    if (this.#context.phase !== 'done') return;
    this.#context.keep();
    await this.#following;
  }

  /** Makes every step anew that builds on what has changed since, the earliest first; ends where one of them comes to nothing. */
  async rerunStale(): Promise<void> {
    const { document } = this.#context;
    const nextFrom = (from: number) =>
      document.sheets.findIndex(({ stale, recipe }, i) => i >= from && stale === true && recipe !== undefined);
    for (let step = nextFrom(1); step > 0; step = nextFrom(step + 1)) {
      await this.rerun(step);
      if (this.replacing !== undefined || document.sheets[step]?.stale === true) return;
    }
  }

  leave(): void {
    this.replacing = undefined;
  }

  /** Leaves a step out, or takes it in again, where no later one builds on it. */
  async setHidden(step: number, hidden: boolean): Promise<void> {
    const { sheets, step: open } = this.#context.document;
    await this.#arrange({ sheets: sheets.map((sheet, i) => (i === step ? { ...sheet, hidden } : sheet)), open }, step);
  }

  /** Lays a step more or less strongly over the one before; what builds on it is marked. */
  async fade(step: number, opacity: number): Promise<void> {
    const { document } = this.#context;
    const { sheets, step: open } = document;
    if (this.busy || step === 0) return;
    this.leave();
    const faded = sheets.map((sheet, i) => (i === step ? { ...sheet, opacity: opacity === 1 ? undefined : opacity } : sheet));
    await this.#work(async () => {
      const { sheets: next, dependent } = await rechained(faded, step, this.#services);
      const before = document.steps;
      document.place({ sheets: next, open });
      document.record(before);
      this.#sayStale(dependent);
    });
  }

  /** Turns, straightens or cuts the open picture, or does that anew where the open step did; masks go along. */
  async frame(framing: Framing): Promise<void> {
    const { document } = this.#context;
    const { sheets, step: open } = document;
    const here = sheets[open];
    if (this.busy || !here) return;
    this.leave();
    await this.#work(async () => {
      const at = here.framing ? open : open + 1;
      const base = sheets[at - 1]!.picture.info;
      const { id } = await this.#services.link.call('picture.frame', { id: base.id, framing });
      const reframing = reframingOf(base.size, framing, here.framing);
      const masks = framedMasks(document.mask.list, reframing);
      const change = { before: base.id, after: id };
      const picture = await this.#services.pictures.show(id);
      const sheet: Sheet = { picture, mask: activeMask(masks).history, masks, blank: here.blank, framing, change };
      const later = sheets.slice(open + 1).map((each) => reframed(each, reframing));
      const { sheets: next, dependent } = await rechained([...sheets.slice(0, at), sheet, ...later], at, this.#services);
      const before = document.steps;
      document.place({ sheets: next, open: at });
      document.record(before);
      this.#context.showStep();
      this.#sayStale(dependent);
    });
  }

  #sayStale(dependent: readonly number[]): void {
    const message = 'Steps that build on this one are marked: run them again.';
    if (dependent.length > 0) this.#context.notices = [{ code: 'steps.stale', message }];
  }

  /** Takes a step to another place among the steps, past any number of others, where none of them builds on it nor it on them. */
  async move(step: number, to: number): Promise<void> {
    const { sheets, step: open } = this.#context.document;
    if (step === to || Math.min(step, to) < 1 || Math.max(step, to) >= sheets.length) return;
    const order = [...sheets.keys()];
    order.splice(to, 0, ...order.splice(step, 1));
    // What is painted on a picture is for what comes next, and stays.
    const moved = order.map((from, place) => withMasksOf(sheets[place]!, sheets[from]!));
    await this.#arrange({ sheets: moved, open: order.indexOf(open) }, Math.min(step, to));
  }

  /** A kept result has taken the place of the step that is now the first behind it: the later ones follow. */
  replaced(before: Steps): void {
    const { document } = this.#context;
    this.leave();
    this.#following = this.#work(async () => {
      const { open } = document.steps;
      const { opacity } = document.sheets[open + 1] ?? {};
      const kept: readonly Sheet[] = [...document.sheets.slice(0, open + 1), ...document.sheets.slice(open + 2)];
      const asStrong = kept.map((sheet, i) => (i === open ? { ...sheet, opacity } : sheet));
      const { sheets, dependent } = await rechained(asStrong, open, this.#services);
      if (opacity === undefined) document.history.future = sheets.slice(open + 1);
      else document.place({ sheets, open });
      document.record(before);
      this.#sayStale(dependent);
    });
  }

  async #arrange(steps: Steps, from: number): Promise<void> {
    const { document } = this.#context;
    if (this.busy || from === 0) return;
    this.leave();
    await this.#work(async () => {
      const { sheets, dependent, made } = await rechained(steps.sheets, from, this.#services);
      if (dependent.length > 0) {
        for (const { pixels, info } of made) {
          pixels.close();
          this.#services.pictures.forget(info.id);
        }
        this.#context.notices = [{ code: 'steps.dependent', message: 'A later step builds on this one, so it stays where it is.' }];
        return;
      }
      const before = document.steps;
      document.place({ ...steps, sheets });
      document.record(before);
      this.#context.showStep();
    });
  }

  async #work(work: () => Promise<void>): Promise<void> {
    this.busy = true;
    await this.#context.attempt(work);
    this.busy = false;
  }
}

/** What was painted on a picture of the size that is framed anew goes along. */
function reframed(sheet: Sheet, reframing: Reframing): Sheet {
  const { picture, mask, masks, held, copied } = sheet;
  if (!sameExtent(picture.info.size, reframing.from)) return sheet;
  return {
    ...sheet,
    mask: framedMask(mask, reframing),
    ...(masks && { masks: framedMasks(masks, reframing) }),
    ...(held && { held: framedMask(held, reframing) }),
    ...(copied && { copied: { ...copied, history: framedMask(copied.history, reframing) } }),
  };
}

function withMasksOf({ mask, masks }: Sheet, sheet: Sheet): Sheet {
  return { ...sheet, mask, masks };
}
