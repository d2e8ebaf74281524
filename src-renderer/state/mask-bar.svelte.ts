import type { Extent, Rect } from '#base/geometry.js';
import { placed, type ScreenPoint } from '#canvas/viewport.js';
import type { Studio } from './studio.svelte.js';
import type { View } from './view.svelte.js';

/** Narrower, the picture has no room for it: the panel and the bar of the result say the same. */
const LEAST_WIDTH = 700;
/** From the painted part, and from the edges of the screen. */
const GAP = 14;
/** Here the bar of the result stands. */
const FOOT = 58;

/** Where the bar at the mask stands, and whether it does. */
export class MaskBar {
  /** As large as it is drawn. */
  size = $state.raw<Extent>({ width: 0, height: 0 });

  /** The painted part of the picture, on the screen; undefined where no bar belongs to it. */
  readonly #marked: Rect | undefined = $derived.by(() => {
    const { mask, space, anew, remover } = this.#studio;
    if (!mask.bounds || mask.use !== undefined || !space || anew || remover.busy) return undefined;
    const { x, y, ...extent } = mask.bounds;
    return placed({ ...extent, x: x + space.source.x, y: y + space.source.y }, this.#view.viewport);
  });
  readonly stands: boolean = $derived.by(() => this.#marked !== undefined && this.#view.screen.width >= LEAST_WIDTH);
  readonly place: ScreenPoint = $derived.by(() => (this.#marked ? besides(this.#marked, this.size, this.#view.screen) : { x: 0, y: 0 }));

  readonly #studio: Studio;
  readonly #view: View;

  constructor(studio: Studio, view: View) {
    this.#studio = studio;
    this.#view = view;
  }
}

/** Below what is marked, or above it, or beside it, wherever there is room first; else at the lower edge. */
export function besides(marked: Rect, bar: Extent, screen: Extent): ScreenPoint {
  const across = within(marked.x + (marked.width - bar.width) / 2, screen.width - bar.width);
  const down = within(marked.y + (marked.height - bar.height) / 2, screen.height - FOOT - bar.height);
  const places = [
    { x: across, y: marked.y + marked.height + GAP },
    { x: across, y: marked.y - bar.height - GAP },
    { x: marked.x + marked.width + GAP, y: down },
    { x: marked.x - bar.width - GAP, y: down },
  ];
  const hasRoom = ({ x, y }: ScreenPoint): boolean =>
    x >= GAP / 2 && y >= GAP / 2 && x + bar.width <= screen.width - GAP / 2 && y + bar.height <= screen.height - FOOT;
  return places.find(hasRoom) ?? { x: across, y: Math.max(GAP, screen.height - FOOT - bar.height) };
}

function within(at: number, most: number): number {
  return Math.max(GAP, Math.min(at, most - GAP));
}
