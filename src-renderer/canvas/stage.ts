import type { Extent, Rect } from '#base/geometry.js';
import type { BrushTip } from '#contract/mask.js';
import type { Space } from '#document/space.js';
import { copyFor } from './bitmap.js';
import type { MaskLayer } from './mask-layer.js';
import type { OutlineLine } from './mask-outline.js';
import { placed, toScreen, visiblePart, type ScreenPoint, type Viewport } from './viewport.js';

/** What is to be seen, bottom to top; rectangles are in pixels of the space. */
export interface Scene {
  readonly screen: Extent;
  readonly viewport: Viewport;
  readonly space: Space;
  readonly picture: { readonly bitmap: ImageBitmap; readonly place: Rect };
  /** Lies over it, more or less strongly. */
  readonly over: { readonly bitmap: ImageBitmap; readonly place: Rect; readonly alpha: number } | undefined;
  /** The model's picture of one scale, over the part of the result that the model sees. */
  readonly preview: { readonly bitmap: ImageBitmap; readonly frame: Rect } | undefined;
  readonly masks: readonly Pick<MaskLayer, 'tiles'>[];
  /** Parts of other pictures, over the first. */
  readonly patches: readonly { readonly bitmap: ImageBitmap; readonly extent: Extent; readonly layer: Pick<MaskLayer, 'tiles'> }[];
  /** Another number = the mask's pixels have changed; a canvas cannot tell by itself. */
  readonly revision: number;
  /** The original over the left part of the result, as wide as the share says. */
  readonly split: { readonly bitmap: ImageBitmap; readonly place: Rect; readonly share: number } | undefined;
  /** What changed, over the whole space. */
  readonly difference: CanvasImageSource | undefined;
  /** Masks that are not painted on at the moment, as their outlines. */
  readonly others: readonly (readonly OutlineLine[])[];
  /** An outline in the making. */
  readonly outline: readonly ScreenPoint[] | undefined;
  readonly brush: ({ readonly at: ScreenPoint } & Omit<BrushTip, 'erase'>) | undefined;
}

const CHECK_SIDE = 8;
/** From here on the user looks at single pixels and wants to see them. */
const PIXEL_ZOOM = 2;

/**
 * Draws scenes onto a canvas of any pixel density, once per frame at most. What lies below the mask is kept as it was
 * drawn: resampling 24 megapixels for every movement of the brush would make the brush lag.
 */
export class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #ground = document.createElement('canvas');
  #drawn: Scene | undefined;
  #next: Scene | undefined;
  #frame: number | undefined;
  #density = 1;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  show(scene: Scene | undefined): void {
    this.#next = scene;
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  close(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  #draw(): void {
    const scene = this.#next;
    const context = this.#canvas.getContext('2d');
    if (!scene || !context) return;
    if (this.#resize(scene.screen) || !this.#drawn || !sameGround(this.#drawn, scene)) this.#drawGround(scene);
    this.#drawn = scene;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#ground, 0, 0);
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    for (const patch of scene.patches) drawPatch(context, patch, scene);
    for (const mask of scene.masks) drawMask(context, mask, scene);
    for (const lines of scene.others) drawOther(context, lines, scene);
    if (scene.outline) drawOutline(context, scene.outline);
    if (scene.brush) drawBrush(context, scene.brush, scene.viewport);
  }

  #resize(screen: Extent): boolean {
    const density = window.devicePixelRatio;
    const width = Math.max(1, Math.round(screen.width * density));
    const height = Math.max(1, Math.round(screen.height * density));
    if (this.#canvas.width === width && this.#canvas.height === height && this.#ground.width === width) return false;
    this.#density = density;
    for (const canvas of [this.#canvas, this.#ground]) {
      canvas.width = width;
      canvas.height = height;
    }
    return true;
  }

  #drawGround(scene: Scene): void {
    const context = this.#ground.getContext('2d');
    if (!context) return;
    context.setTransform(this.#density, 0, 0, this.#density, 0, 0);
    context.clearRect(0, 0, scene.screen.width, scene.screen.height);
    drawGround(context, scene);
  }
}

function sameGround(a: Scene, b: Scene): boolean {
  return (
    a.picture.bitmap === b.picture.bitmap &&
    a.picture.place === b.picture.place &&
    sameCover(a.over, b.over) &&
    a.preview?.bitmap === b.preview?.bitmap &&
    a.space === b.space &&
    sameComparison(a, b) &&
    a.viewport === b.viewport
  );
}

function sameCover(a: Scene['over'], b: Scene['over']): boolean {
  return a?.bitmap === b?.bitmap && a?.alpha === b?.alpha;
}

function sameComparison(a: Scene, b: Scene): boolean {
  return a.split?.bitmap === b.split?.bitmap && a.split?.share === b.split?.share && a.difference === b.difference;
}

function drawGround(context: CanvasRenderingContext2D, { picture, over, preview, split, difference, space, viewport }: Scene): void {
  const all = placed({ x: 0, y: 0, ...space.extent }, viewport);
  const place = placed(picture.place, viewport);
  drawChecks(context, all);
  context.imageSmoothingEnabled = viewport.zoom !== 1 && viewport.zoom < PIXEL_ZOOM;
  context.imageSmoothingQuality = 'medium';
  drawVisible(context, picture.bitmap, place);
  if (over) {
    context.globalAlpha = over.alpha;
    drawVisible(context, over.bitmap, placed(over.place, viewport));
    context.globalAlpha = 1;
  }
  if (preview) drawPreview(context, all, { bitmap: preview.bitmap, place: placed(preview.frame, viewport) });
  if (split) drawSplit(context, all, { ...split, place: placed(split.place, viewport) });
  if (difference) context.drawImage(difference, all.x, all.y, all.width, all.height);
  drawEdge(context, all);
}

/** Only what is on the screen, of the copy that suits the zoom. */
function drawVisible(context: CanvasRenderingContext2D, bitmap: ImageBitmap, place: Rect): void {
  const density = window.devicePixelRatio;
  const copy = copyFor(bitmap, (place.width / bitmap.width) * density);
  const part = visiblePart(copy, place, { width: context.canvas.width / density, height: context.canvas.height / density });
  if (!part) return;
  const { from, to } = part;
  context.drawImage(copy, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
}

/** The original up to a line that can be dragged. */
function drawSplit(context: CanvasRenderingContext2D, all: Rect, { bitmap, place, share }: NonNullable<Scene['split']>): void {
  const line = all.x + all.width * share;
  context.save();
  context.beginPath();
  context.rect(all.x, all.y, line - all.x, all.height);
  context.clip();
  drawChecks(context, all);
  drawVisible(context, bitmap, place);
  context.restore();
  context.fillStyle = 'rgba(0, 0, 0, 0.6)';
  context.fillRect(line - 2, all.y, 4, all.height);
  context.fillStyle = '#ffffff';
  context.fillRect(line - 1, all.y, 2, all.height);
}

/** A grey board shows through where there is no picture: transparency, and a border that is still to grow. */
function drawChecks(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  const tile = new OffscreenCanvas(CHECK_SIDE * 2, CHECK_SIDE * 2);
  const paint = tile.getContext('2d');
  if (!paint) return;
  paint.fillStyle = '#9c9c9c';
  paint.fillRect(0, 0, CHECK_SIDE * 2, CHECK_SIDE * 2);
  paint.fillStyle = '#b8b8b8';
  paint.fillRect(0, 0, CHECK_SIDE, CHECK_SIDE);
  paint.fillRect(CHECK_SIDE, CHECK_SIDE, CHECK_SIDE, CHECK_SIDE);
  const pattern = context.createPattern(tile, 'repeat');
  if (pattern) context.fillStyle = pattern;
  context.fillRect(x, y, width, height);
}

/** The model may see beyond the picture; the user does not. */
function drawPreview(
  context: CanvasRenderingContext2D,
  clip: Rect,
  { bitmap, place }: { readonly bitmap: ImageBitmap; readonly place: Rect },
): void {
  context.save();
  context.beginPath();
  context.rect(clip.x, clip.y, clip.width, clip.height);
  context.clip();
  context.imageSmoothingEnabled = true;
  context.drawImage(bitmap, place.x, place.y, place.width, place.height);
  context.restore();
}

/** A hairline keeps a picture with grey borders apart from the grey surround. */
function drawEdge(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  context.strokeStyle = 'rgba(0, 0, 0, 0.35)';
  context.lineWidth = 1;
  context.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
}

function drawMask(context: CanvasRenderingContext2D, mask: Pick<MaskLayer, 'tiles'>, { space, viewport }: Scene): void {
  context.imageSmoothingEnabled = viewport.zoom < PIXEL_ZOOM;
  context.imageSmoothingQuality = 'low';
  const { x, y } = space.source;
  for (const tile of mask.tiles) {
    const place = placed({ ...tile, x: tile.x + x, y: tile.y + y }, viewport);
    // Edges on whole pixels: half-covered ones would show where two tiles meet.
    const [left, top] = [Math.round(place.x), Math.round(place.y)];
    context.drawImage(tile.canvas, left, top, Math.round(place.x + place.width) - left, Math.round(place.y + place.height) - top);
  }
}

/** A picture where its mask is painted, over all of the space. */
function drawPatch(context: CanvasRenderingContext2D, { bitmap, extent, layer }: Scene['patches'][number], { viewport }: Scene): void {
  context.imageSmoothingEnabled = viewport.zoom !== 1 && viewport.zoom < PIXEL_ZOOM;
  const [across, down] = [bitmap.width / extent.width, bitmap.height / extent.height];
  for (const { x, y, width, height, canvas } of layer.tiles) {
    const cut = new OffscreenCanvas(width, height);
    const paint = cut.getContext('2d');
    if (!paint) return;
    paint.drawImage(canvas, 0, 0);
    paint.globalCompositeOperation = 'source-in';
    paint.drawImage(bitmap, x * across, y * down, width * across, height * down, 0, 0, width, height);
    const place = placed({ x, y, width, height }, viewport);
    const [left, top] = [Math.round(place.x), Math.round(place.y)];
    context.drawImage(cut, left, top, Math.round(place.x + place.width) - left, Math.round(place.y + place.height) - top);
  }
}

/** White within black: seen on any picture. */
const CURSOR_STROKES = [
  ['rgba(0, 0, 0, 0.7)', 3],
  ['#ffffff', 1],
] as const;

/** Dashed, so that it is told from one in the making. */
function drawOther(context: CanvasRenderingContext2D, lines: readonly OutlineLine[], { space, viewport }: Scene): void {
  context.beginPath();
  for (const line of lines) {
    const [from, to] = [line.from, line.to].map(([x, y]) => toScreen(viewport, { x: x + space.source.x, y: y + space.source.y }));
    if (!from || !to) continue;
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }
  context.lineWidth = 1.5;
  context.strokeStyle = 'rgba(0, 0, 0, 0.7)';
  context.stroke();
  context.setLineDash([5, 5]);
  context.strokeStyle = '#ffffff';
  context.stroke();
  context.setLineDash([]);
}

function drawOutline(context: CanvasRenderingContext2D, points: readonly ScreenPoint[]): void {
  for (const [colour, width] of CURSOR_STROKES) {
    context.beginPath();
    for (const { x, y } of points) context.lineTo(x, y);
    context.closePath();
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

/** Where the brush paints, and within it where it paints in full. */
function drawBrush(
  context: CanvasRenderingContext2D,
  { at, radiusPx, hardness = 1 }: NonNullable<Scene['brush']>,
  { zoom }: Viewport,
): void {
  const radii = [radiusPx, ...(hardness < 1 ? [radiusPx * hardness] : [])].map((radius) => Math.max(1, radius * zoom));
  for (const [colour, width] of CURSOR_STROKES) {
    for (const radius of radii) {
      context.beginPath();
      context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.stroke();
    }
  }
}
