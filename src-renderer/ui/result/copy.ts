import type { Exporter } from '#state/exporter.js';

/** Puts the picture that is shown on the clipboard. The promise lets the browser wait without losing the key press. */
export async function copyPicture(exporter: Exporter): Promise<void> {
  const picture = exporter.copy().then((file) => file ?? new Blob([], { type: 'image/png' }));
  // A browser may forbid it, and says so itself.
  await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]).catch(() => undefined);
}
