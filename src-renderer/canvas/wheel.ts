import type { ScreenPoint } from './viewport.js';

/** What a turn of a wheel, or two fingers on a trackpad, mean. */
export type WheelWish = { readonly factor: number } | { readonly by: ScreenPoint };

const ZOOM_PER_WHEEL_PIXEL = 0.0015;
/** Trackpads send a pinch as small turns of the wheel with Ctrl. */
const ZOOM_PER_PINCHED_PIXEL = 0.01;
const LINE_PX = 16;
/** A notch of a wheel is a step of so much at least; fingers go in small ones. */
const NOTCH_PX = 50;

type Turn = Pick<WheelEvent, 'deltaX' | 'deltaY' | 'deltaMode' | 'ctrlKey' | 'metaKey' | 'shiftKey'>;

/**
 * A pinch zooms, and so does a wheel, which goes in whole steps, up and down only. Two fingers go any way in small steps,
 * and move the picture.
 */
export function wheelWish({ deltaX, deltaY, deltaMode, ctrlKey, metaKey, shiftKey }: Turn): WheelWish {
  const px = deltaMode === 0 ? 1 : LINE_PX;
  const [x, y] = [deltaX * px, deltaY * px];
  if (ctrlKey || metaKey) return { factor: Math.exp(-y * ZOOM_PER_PINCHED_PIXEL) };
  if (shiftKey) return { by: { x: -(x || y), y: 0 } };
  const isWheel = x === 0 && (deltaMode !== 0 || (Math.abs(y) >= NOTCH_PX && Number.isInteger(y)));
  return isWheel ? { factor: Math.exp(-y * ZOOM_PER_WHEEL_PIXEL) } : { by: { x: -x, y: -y } };
}
