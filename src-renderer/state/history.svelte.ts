import { sameExtent, type Extent } from '#base/geometry.js';
import type { MaskHistory } from '#contract/mask.js';
import type { Sheet } from './sheets.js';

/** The sheets that were kept before the open one, and those that undoing has left behind it. */
export class History {
  past = $state.raw<readonly Sheet[]>([]);
  future = $state.raw<readonly Sheet[]>([]);

  /** The last mask that was painted on a picture of this size. */
  lastMask(extent: Extent): MaskHistory | undefined {
    return this.past.findLast(({ mask, picture }) => mask.length > 0 && sameExtent(picture.info.size, extent))?.mask;
  }

  /** The open sheet is kept, and another follows it. */
  push(open: Sheet): void {
    this.past = [...this.past, open];
  }

  /** The sheet before the open one, which becomes the first behind it. */
  back(open: Sheet): Sheet | undefined {
    const earlier = this.past.at(-1);
    if (!earlier) return undefined;
    this.future = [open, ...this.future];
    this.past = this.past.slice(0, -1);
    return earlier;
  }

  /** The first sheet behind the open one. */
  forth(open: Sheet): Sheet | undefined {
    const [next, ...later] = this.future;
    if (!next) return undefined;
    this.past = [...this.past, open];
    this.future = later;
    return next;
  }

  /** Forgets what could be redone, and says what that was. */
  takeFuture(): readonly Sheet[] {
    const gone = this.future;
    this.future = [];
    return gone;
  }

  /** Forgets everything, and says what that was. */
  takeAll(): readonly Sheet[] {
    const gone = [...this.past, ...this.future];
    this.past = [];
    this.future = [];
    return gone;
  }
}
