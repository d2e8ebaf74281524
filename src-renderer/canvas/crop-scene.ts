import type { Extent, Rect } from '#base/geometry.js';
import type { Framing } from '#contract/framing.js';
import type { ScreenPoint } from './viewport.js';

/** Free space around the picture, in screen pixels. */
const MARGIN = 36;
/** Where the bar stands. */
const FOOT = 84;
const LARGEST = 2;

/** Where the turned picture lies on the screen. */
export interface CropScene {
  readonly scale: number;
  readonly origin: ScreenPoint;
}

export function cropScene(turned: Extent, screen: Extent): CropScene {
  const room = { width: Math.max(1, screen.width - 2 * MARGIN), height: Math.max(1, screen.height - MARGIN - FOOT) };
  const scale = Math.min(LARGEST, room.width / turned.width, room.height / turned.height);
  const x = (screen.width - turned.width * scale) / 2;
  return { scale, origin: { x, y: MARGIN + (room.height - turned.height * scale) / 2 } };
}

/** A part of the turned picture, on the screen. */
export function onScreen({ x, y, width, height }: Rect, { scale, origin }: CropScene): Rect {
  return { x: origin.x + x * scale, y: origin.y + y * scale, width: width * scale, height: height * scale };
}

interface Cropped extends CropScene {
  readonly screen: Extent;
  readonly bitmap: ImageBitmap;
  /** Of the picture before it is turned. */
  readonly extent: Extent;
  readonly framing: Framing;
  readonly crop: Rect;
}

const HANDLE_PX = 10;

/** The turned and straightened picture, dark where it is cut off, with thirds and handles. */
export function drawCrop(context: CanvasRenderingContext2D, scene: Cropped): void {
  const { screen } = scene;
  const box = onScreen(scene.crop, scene);
  context.clearRect(0, 0, screen.width, screen.height);
  drawTurned(context, scene);
  context.fillStyle = 'rgba(0, 0, 0, 0.6)';
  context.beginPath();
  context.rect(0, 0, screen.width, screen.height);
  context.rect(box.x, box.y, box.width, box.height);
  context.fill('evenodd');
  drawThirds(context, box);
  drawHandles(context, box);
}

function drawTurned(context: CanvasRenderingContext2D, { bitmap, framing, scale, origin, extent, screen }: Cropped): void {
  const [width, height] = [extent.width * scale, extent.height * scale];
  const tall = framing.turns % 2 === 0 ? height : width;
  context.save();
  context.translate(screen.width / 2, origin.y + tall / 2);
  context.rotate((framing.straighten * Math.PI) / 180 + (framing.turns * Math.PI) / 2);
  if (framing.mirrored) context.scale(-1, 1);
  context.imageSmoothingEnabled = scale < LARGEST;
  context.imageSmoothingQuality = 'medium';
  context.drawImage(bitmap, -width / 2, -height / 2, width, height);
  context.restore();
}

function drawThirds(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  context.strokeStyle = 'rgba(255, 255, 255, 0.45)';
  context.lineWidth = 1;
  context.beginPath();
  for (const third of [1 / 3, 2 / 3]) {
    context.moveTo(x + width * third, y);
    context.lineTo(x + width * third, y + height);
    context.moveTo(x, y + height * third);
    context.lineTo(x + width, y + height * third);
  }
  context.stroke();
  context.strokeStyle = '#ffffff';
  context.lineWidth = 1.5;
  context.strokeRect(x, y, width, height);
}

function drawHandles(context: CanvasRenderingContext2D, { x, y, width, height }: Rect): void {
  context.fillStyle = '#ffffff';
  context.strokeStyle = 'rgba(0, 0, 0, 0.6)';
  context.lineWidth = 1;
  for (const across of [0, 0.5, 1]) {
    for (const down of [0, 0.5, 1]) {
      if (across === 0.5 && down === 0.5) continue;
      const [left, top] = [x + width * across - HANDLE_PX / 2, y + height * down - HANDLE_PX / 2];
      context.fillRect(left, top, HANDLE_PX, HANDLE_PX);
      context.strokeRect(left, top, HANDLE_PX, HANDLE_PX);
    }
  }
}
