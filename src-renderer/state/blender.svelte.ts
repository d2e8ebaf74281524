import { sameExtent } from '#base/geometry.js';
import type { BrushTip, Point, Stroke } from '#contract/mask.js';
import type { PictureId } from '#contract/request.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { EMPTY_MASK, withStep } from '#document/mask.js';
import type { Services, ShownPicture } from './pictures.js';
import type { Runner } from './runner.svelte.js';
import type { ShownResult } from './sheets.js';

/** What the studio lends to whoever blends variants. */
export interface BlenderContext {
  readonly runner: Runner;
  keep(): void;
  /** What fails is said. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** A pull of the brush, and the variant that shows where it went. */
interface Pull {
  readonly stroke: Stroke;
  readonly variant: ShownResult;
}

/** Where another variant shows. */
export interface Patch {
  readonly variant: ShownResult;
  readonly layer: MaskLayer;
}

/** Several variants become one: the brush shows another one where it paints, over the one that lies there. */
export class Blender {
  /** The variant on which the others are painted; undefined while nothing is blended. */
  base = $state.raw<ShownResult>();
  /** The one that the brush brings. */
  brings = $state.raw<ShownResult>();
  /** Rises with every change of the pixels. */
  revision = $state(0);
  /** The picture is being put together. */
  busy = $state(false);
  #pulls = $state.raw<readonly Pull[]>([]);
  #patches = $state.raw<readonly Patch[]>([]);

  readonly on: boolean = $derived(this.base !== undefined);
  readonly patches: readonly Patch[] = $derived(this.#patches);
  readonly canUndo: boolean = $derived(this.#pulls.length > 0);

  readonly #context: BlenderContext;
  readonly #services: Services;

  constructor(context: BlenderContext, services: Services) {
    this.#context = context;
    this.#services = services;
  }

  /** From the shown variant on; the brush brings the next one. */
  begin(): void {
    const { results, chosen } = this.#context.runner;
    const base = results[chosen];
    if (!base || results.length < 2) return;
    this.base = base;
    this.bring((chosen + 1) % results.length);
  }

  /** The variant of this number is what the brush brings; of the base, that is an eraser. */
  bring(variant: number): void {
    const wanted = this.#context.runner.results[variant];
    if (wanted && this.base && sameExtent(wanted.info.size, this.base.info.size)) this.brings = wanted;
  }

  end(): void {
    this.base = undefined;
    this.brings = undefined;
    this.#pulls = [];
    this.#patches = [];
  }

  paint(from: Point, to: Point, tip: BrushTip): void {
    const { brings, base } = this;
    if (!brings || !base) return;
    const own = tip.erase || brings === base ? undefined : this.#patchOf(brings);
    for (const { layer } of this.#patches) layer.paint(from, to, { ...tip, erase: layer !== own?.layer });
  }

  touched(): void {
    this.revision += 1;
  }

  /** The brush was lifted. */
  painted(stroke: Stroke): void {
    if (!this.brings || !this.base) return;
    this.#pulls = [...this.#pulls, { stroke, variant: stroke.erase ? this.base : this.brings }];
    this.#redraw();
  }

  /** What was being pulled was not meant. */
  dropped(): void {
    this.#redraw();
  }

  undo(): void {
    this.#pulls = this.#pulls.slice(0, -1);
    this.#redraw();
  }

  /** Puts the picture together, and keeps it as a step. */
  async keep(): Promise<void> {
    const { base } = this;
    if (!base || this.busy) return;
    this.busy = true;
    const blended = await this.#context.attempt(() => this.#blended(base));
    this.busy = false;
    if (!blended) return;
    this.#context.runner.replace(base, blended);
    this.end();
    this.#context.keep();
  }

  async #blended(base: ShownResult): Promise<ShownPicture> {
    const { link, pictures } = this.#services;
    let below: PictureId = base.info.id;
    for (const { variant, layer } of this.#patches) {
      if (layer.empty) continue;
      const mask = await pictures.upload(await layer.toPng(), 'mask.png');
      const { id } = await link.call('picture.blend', { below, above: variant.info.id, opacity: 1, mask: mask.id });
      pictures.forget(mask.id, below === base.info.id ? undefined : below);
      below = id;
    }
    return pictures.show(below);
  }

  /** All layers anew from the pulls: each takes its place from the others. */
  #redraw(): void {
    for (const { variant, layer } of this.#patches) {
      const steps = this.#pulls.map(({ stroke, variant: own }) => ({ ...stroke, erase: own !== variant }));
      layer.show(steps.reduce((history, stroke) => withStep(history, { kind: 'stroke', stroke }), EMPTY_MASK));
    }
    this.touched();
  }

  #patchOf(variant: ShownResult): Patch {
    const there = this.#patches.find((patch) => patch.variant === variant);
    if (there) return there;
    const layer = new MaskLayer(variant.info.size, () => {
      this.touched();
    });
    layer.tint('whole');
    const patch = { variant, layer };
    this.#patches = [...this.#patches, patch];
    return patch;
  }
}
