import { sameExtent, type Extent } from '#base/geometry.js';
import type { OutputFormat } from '#contract/request.js';

/** Formats that every browser engine of ours draws by itself. */
const DRAWABLE: ReadonlySet<OutputFormat> = new Set(['png', 'jpeg', 'webp', 'avif']);

export function isDrawable(format: OutputFormat): boolean {
  return DRAWABLE.has(format);
}

/** An encoded picture for drawing, upright; undefined where the browser reads it otherwise than the service did. */
export async function decodeBitmap(file: Blob, expected?: Extent): Promise<ImageBitmap | undefined> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => undefined);
  if (!bitmap || !expected || sameExtent(bitmap, expected)) return bitmap;
  bitmap.close();
  return undefined;
}
