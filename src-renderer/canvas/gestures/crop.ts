import type { Rect } from '#base/geometry.js';
import { HANDLES, moved, pulled, type Handle } from '#document/crop.js';
import { onScreen, type CropScene } from '../crop-scene.js';
import type { ScreenPoint } from '../viewport.js';
import type { Gesture, PointerMove } from './gesture.js';

/** What is cut when the button is pressed, and where it lies. */
export interface CropPlace {
  readonly crop: Rect;
  readonly straighten: number;
  readonly scene: CropScene;
}

export interface CropWork {
  readonly shape: () => number;
  cut(crop: Rect): void;
  straighten(degrees: number): void;
}

/** How near to a handle a press means it, in screen pixels. */
const REACH = 14;

interface Meant {
  readonly what: Handle | 'move' | 'straighten';
  readonly cursor: string;
}

/** What a press there would do: pull a side or a corner, move what is kept, or straighten the picture from beyond it. */
export function handleAt(at: ScreenPoint, { crop, scene }: CropPlace): Meant {
  const box = onScreen(crop, scene);
  const near = HANDLES.find(({ x, y }) => {
    const [left, top] = [box.x + (box.width * (x + 1)) / 2, box.y + (box.height * (y + 1)) / 2];
    const across = x === 0 ? at.x > box.x && at.x < box.x + box.width : Math.abs(at.x - left) <= REACH;
    const down = y === 0 ? at.y > box.y && at.y < box.y + box.height : Math.abs(at.y - top) <= REACH;
    return across && down;
  });
  if (near) return { what: near, cursor: cursorOf(near) };
  const isInside = at.x >= box.x && at.y >= box.y && at.x <= box.x + box.width && at.y <= box.y + box.height;
  return isInside ? { what: 'move', cursor: 'move' } : { what: 'straighten', cursor: 'crosshair' };
}

function cursorOf({ x, y }: Handle): string {
  if (x === 0) return 'ns-resize';
  if (y === 0) return 'ew-resize';
  return x === y ? 'nwse-resize' : 'nesw-resize';
}

/** Pulls the crop, or turns the picture below it. */
export class CropGesture implements Gesture {
  readonly works = true;
  readonly #from: ScreenPoint;
  readonly #place: CropPlace;
  readonly #work: CropWork;
  readonly #what: Meant['what'];

  constructor(from: ScreenPoint, place: CropPlace, work: CropWork) {
    this.#from = from;
    this.#place = place;
    this.#work = work;
    this.#what = handleAt(from, place).what;
  }

  move({ at }: PointerMove): void {
    const { crop, scene } = this.#place;
    const by = { x: (at.x - this.#from.x) / scene.scale, y: (at.y - this.#from.y) / scene.scale };
    if (this.#what === 'straighten') this.#turn(at);
    else if (this.#what === 'move') this.#work.cut(moved(crop, by));
    else this.#work.cut(pulled(crop, this.#what, { by, shape: this.#work.shape() }));
  }

  #turn(at: ScreenPoint): void {
    const { x, y, width, height } = onScreen(this.#place.crop, this.#place.scene);
    const angle = (point: ScreenPoint): number => Math.atan2(point.y - y - height / 2, point.x - x - width / 2);
    const turned = ((angle(at) - angle(this.#from)) * 180) / Math.PI;
    const shortest = ((turned + 540) % 360) - 180;
    this.#work.straighten(Math.round((this.#place.straighten + shortest) * 10) / 10);
  }

  lift(): void {
    // It is as it was pulled.
  }

  drop(): void {
    this.#work.cut(this.#place.crop);
  }
}
