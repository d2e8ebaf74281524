import type { Extent, Rect } from '#base/geometry.js';

export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
}

/** So much of a picture stays on the screen, however far it is moved. */
const SEEN = 64;
const SMALLEST_ZOOM = 0.05;
const LARGEST_ZOOM = 32;
/** Free space around a fitted picture, in screen pixels. */
const FIT_MARGIN = 28;
/** And more below it, where the bar of a result stands. */
const BAR_HEIGHT = 30;
/** Small pictures are not blown up without being asked to, except to this. */
const LARGEST_FIT = 2;

/** Where the picture lies on the screen: `screen = picture · zoom + offset`. */
export interface Viewport {
  readonly zoom: number;
  readonly offset: ScreenPoint;
}

export function fitted(picture: Extent, screen: Extent): Viewport {
  const above = { width: screen.width, height: Math.max(1, screen.height - BAR_HEIGHT) };
  const room = { width: Math.max(1, above.width - 2 * FIT_MARGIN), height: Math.max(1, above.height - 2 * FIT_MARGIN) };
  return centred(picture, above, Math.min(LARGEST_FIT, room.width / picture.width, room.height / picture.height));
}

export function centred(picture: Extent, screen: Extent, wanted: number): Viewport {
  const zoom = clampZoom(wanted);
  // Whole pixels: at 1:1 every picture pixel covers exactly one on the screen.
  const x = Math.round((screen.width - picture.width * zoom) / 2);
  const y = Math.round((screen.height - picture.height * zoom) / 2);
  return { zoom, offset: { x, y } };
}

/** Zooms by `factor` so that the picture point under `anchor` stays where it is. */
export function zoomedAt({ zoom, offset }: Viewport, anchor: ScreenPoint, factor: number): Viewport {
  const next = clampZoom(zoom * factor);
  const ratio = next / zoom;
  return { zoom: next, offset: { x: anchor.x - (anchor.x - offset.x) * ratio, y: anchor.y - (anchor.y - offset.y) * ratio } };
}

/** Smaller, around the opposite side, where a side that is pulled outwards would leave the screen. */
export function shownTo(
  viewport: Viewport,
  { picture, screen }: { readonly picture: Extent; readonly screen: Extent },
  outwards: ScreenPoint,
): Viewport {
  const near = toScreen(viewport, { x: outwards.x < 0 ? picture.width : 0, y: outwards.y < 0 ? picture.height : 0 });
  const far = toScreen(viewport, { x: outwards.x < 0 ? 0 : picture.width, y: outwards.y < 0 ? 0 : picture.height });
  const share = (from: number, to: number, side: number): number => {
    const end = Math.min(side - FIT_MARGIN, Math.max(FIT_MARGIN, to));
    return end === to ? 1 : Math.max(0, (end - from) / (to - from));
  };
  const factor = outwards.x === 0 ? share(near.y, far.y, screen.height) : share(near.x, far.x, screen.width);
  return factor === 1 ? viewport : zoomedAt(viewport, near, factor);
}

export function panned({ zoom, offset }: Viewport, by: ScreenPoint): Viewport {
  return { zoom, offset: { x: offset.x + by.x, y: offset.y + by.y } };
}

/** Moved back where too little of the picture would be on the screen to find it again. */
export function inSight(viewport: Viewport, picture: Extent, screen: Extent): Viewport {
  const { zoom, offset } = viewport;
  const within = (at: number, size: number, room: number): number => {
    const seen = Math.min(SEEN, size, room / 2);
    return Math.min(room - seen, Math.max(seen - size, at));
  };
  const x = within(offset.x, picture.width * zoom, screen.width);
  const y = within(offset.y, picture.height * zoom, screen.height);
  return x === offset.x && y === offset.y ? viewport : { zoom, offset: { x, y } };
}

export function toPicture({ zoom, offset }: Viewport, point: ScreenPoint): ScreenPoint {
  return { x: (point.x - offset.x) / zoom, y: (point.y - offset.y) / zoom };
}

export function toScreen({ zoom, offset }: Viewport, point: ScreenPoint): ScreenPoint {
  return { x: point.x * zoom + offset.x, y: point.y * zoom + offset.y };
}

/** A rectangle of picture pixels, on the screen. */
export function placed({ x, y, width, height }: Rect, viewport: Viewport): Rect {
  return { ...toScreen(viewport, { x, y }), width: width * viewport.zoom, height: height * viewport.zoom };
}

/** Of a picture that lies at `place`, the whole pixels that are on the screen, and where those lie; undefined where none are. */
export function visiblePart(picture: Extent, place: Rect, screen: Extent): { readonly from: Rect; readonly to: Rect } | undefined {
  const [across, down] = [place.width / picture.width, place.height / picture.height];
  const x = Math.max(0, Math.floor(-place.x / across));
  const y = Math.max(0, Math.floor(-place.y / down));
  const width = Math.min(picture.width, Math.ceil((screen.width - place.x) / across)) - x;
  const height = Math.min(picture.height, Math.ceil((screen.height - place.y) / down)) - y;
  if (width <= 0 || height <= 0) return undefined;
  return {
    from: { x, y, width, height },
    to: { x: place.x + x * across, y: place.y + y * down, width: width * across, height: height * down },
  };
}

function clampZoom(zoom: number): number {
  return Math.min(LARGEST_ZOOM, Math.max(SMALLEST_ZOOM, zoom));
}
