/** An empty sheet: the grey that packs read as "nothing here yet". */
export async function renderBlank(side: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d');
  if (context) {
    context.fillStyle = '#808080';
    context.fillRect(0, 0, side, side);
  }
  return canvas.convertToBlob();
}
