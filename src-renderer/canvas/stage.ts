import type { Extent, Rect } from '#base/geometry.js';
import type { ScreenPoint, Viewport } from './viewport.js';

/** What is to be seen, bottom to top. */
export interface Scene {
  readonly picture: { readonly bitmap: ImageBitmap; readonly extent: Extent } | undefined;
  /** The model's picture of one scale, over the part of the result that the model sees. */
  readonly preview: { readonly bitmap: ImageBitmap; readonly frame: Rect } | undefined;
  readonly mask: CanvasImageSource | undefined;
  /** Another number = the mask's pixels have changed; a canvas cannot tell by itself. */
  readonly revision: number;
  readonly brush: { readonly at: ScreenPoint; readonly radiusPx: number } | undefined;
  readonly viewport: Viewport;
}

const CHECK = 8;

/** Draws a scene onto a canvas of any pixel density. */
export function drawScene(canvas: HTMLCanvasElement, scene: Scene): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const density = window.devicePixelRatio;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const { picture, viewport } = scene;
  if (!picture) return;
  const place = placed({ x: 0, y: 0, ...picture.extent }, viewport);
  drawChecks(context, place);
  // Above 2:1 the user looks at pixels and wants to see them.
  context.imageSmoothingEnabled = viewport.zoom < 2;
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture.bitmap, place.x, place.y, place.width, place.height);
  if (scene.preview) drawPreview(context, place, { preview: scene.preview, viewport });
  if (scene.mask) context.drawImage(scene.mask, place.x, place.y, place.width, place.height);
  if (scene.brush) drawBrush(context, scene.brush, viewport);
}

function placed(rect: Rect, { zoom, offset }: Viewport): Rect {
  return { x: offset.x + rect.x * zoom, y: offset.y + rect.y * zoom, width: rect.width * zoom, height: rect.height * zoom };
}

function drawChecks(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  const tile = new OffscreenCanvas(CHECK * 2, CHECK * 2);
  const paint = tile.getContext('2d');
  if (!paint) return;
  paint.fillStyle = '#9a9a9a';
  paint.fillRect(0, 0, CHECK * 2, CHECK * 2);
  paint.fillStyle = '#c4c4c4';
  paint.fillRect(0, 0, CHECK, CHECK);
  paint.fillRect(CHECK, CHECK, CHECK, CHECK);
  const pattern = context.createPattern(tile, 'repeat');
  if (pattern) context.fillStyle = pattern;
  context.fillRect(x, y, width, height);
}

function drawPreview(
  context: CanvasRenderingContext2D,
  place: Rect,
  { preview, viewport }: Pick<Scene, 'viewport'> & { preview: NonNullable<Scene['preview']> },
): void {
  const target = placed(preview.frame, viewport);
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip();
  context.imageSmoothingEnabled = true;
  context.drawImage(preview.bitmap, target.x, target.y, target.width, target.height);
  context.restore();
}

function drawBrush(context: CanvasRenderingContext2D, { at, radiusPx }: NonNullable<Scene['brush']>, { zoom }: Viewport): void {
  for (const [colour, width] of [
    ['rgba(0, 0, 0, 0.7)', 3],
    ['#ffffff', 1],
  ] as const) {
    context.beginPath();
    context.arc(at.x, at.y, Math.max(1, radiusPx * zoom), 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}
