import type { Extent, Rect } from '#base/geometry.js';
import type { Margins } from '#contract/request.js';

/** The pixels of a result and where the source lies among them: everything on the canvas is placed in this one system. */
export interface Space {
  readonly extent: Extent;
  readonly source: Rect;
}

export const NO_MARGINS: Margins = { left: 0, right: 0, top: 0, bottom: 0 };

export function spaceOf({ width, height }: Extent, { left, right, top, bottom }: Margins): Space {
  return { extent: { width: width + left + right, height: height + top + bottom }, source: { x: left, y: top, width, height } };
}

export function hasMargins({ left, right, top, bottom }: Margins): boolean {
  return left + right + top + bottom > 0;
}

/** The least border, half on either side, that gives a picture the shape `width:height`; none for any other word. */
export function marginsTo({ width, height }: Extent, aspect: string): Margins {
  const [across = Number.NaN, down = Number.NaN] = aspect.split(':').map(Number);
  const wide = Math.round((height * across) / down) - width;
  const tall = Math.round((width * down) / across) - height;
  if (wide > 0) return { ...NO_MARGINS, left: Math.floor(wide / 2), right: Math.ceil(wide / 2) };
  if (tall > 0) return { ...NO_MARGINS, top: Math.floor(tall / 2), bottom: Math.ceil(tall / 2) };
  return NO_MARGINS;
}
