import type { Extent } from '#base/geometry.js';

export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
}

const SMALLEST_ZOOM = 0.05;
const LARGEST_ZOOM = 32;
/** Free space around a fitted picture, in screen pixels. */
const FIT_MARGIN = 24;

/** Where the picture lies on the screen: `screen = picture · zoom + offset`. */
export interface Viewport {
  readonly zoom: number;
  readonly offset: ScreenPoint;
}

export function fitted(picture: Extent, screen: Extent): Viewport {
  const room = { width: Math.max(1, screen.width - 2 * FIT_MARGIN), height: Math.max(1, screen.height - 2 * FIT_MARGIN) };
  const zoom = clampZoom(Math.min(room.width / picture.width, room.height / picture.height));
  return centred(picture, screen, zoom);
}

export function centred(picture: Extent, screen: Extent, zoom: number): Viewport {
  return { zoom, offset: { x: (screen.width - picture.width * zoom) / 2, y: (screen.height - picture.height * zoom) / 2 } };
}

/** Zooms by `factor` so that the picture point under `anchor` stays where it is. */
export function zoomedAt({ zoom, offset }: Viewport, anchor: ScreenPoint, factor: number): Viewport {
  const next = clampZoom(zoom * factor);
  const ratio = next / zoom;
  return { zoom: next, offset: { x: anchor.x - (anchor.x - offset.x) * ratio, y: anchor.y - (anchor.y - offset.y) * ratio } };
}

export function panned({ zoom, offset }: Viewport, by: ScreenPoint): Viewport {
  return { zoom, offset: { x: offset.x + by.x, y: offset.y + by.y } };
}

export function toPicture({ zoom, offset }: Viewport, point: ScreenPoint): ScreenPoint {
  return { x: (point.x - offset.x) / zoom, y: (point.y - offset.y) / zoom };
}

function clampZoom(zoom: number): number {
  return Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, zoom));
}
