import { readFacts } from '#engine/image/files/decode.js';
import { openMask } from '#engine/image/working/mask.js';
import { detailBytesOf } from '#engine/pipelines/detail-step.js';
import { partsOf } from '#engine/pipelines/stage.js';
import type { CanvasWish } from './cost-model.js';
import { bytesOf, headOf } from './encoded-picture.js';
import type { EngineJob } from './engine.js';

/** How large the canvas is, in how many parts, one after the other, the mask has it worked on, and what its detail takes. */
export async function partsOfCanvas({ request, pictures, pack }: EngineJob): Promise<CanvasWish & { readonly count: number }> {
  const { task, source, mask, margins } = request;
  const [picture, painted] = [source, mask].map((id) => (id === undefined ? undefined : pictures[id]));
  const side = pack.card.imageSize;
  if (!picture) return { count: 1, pixels: side ** 2 };
  const { size } = await readFacts(await headOf(picture));
  const { left, right, top, bottom } = margins ?? { left: 0, right: 0, top: 0, bottom: 0 };
  const extent = { width: size.width + left + right, height: size.height + top + bottom };
  const pixels = extent.width * extent.height;
  if (task === 'expand') {
    const kept = { x: left, y: top, ...size };
    return { count: 1, pixels, detailBytes: detailBytesOf({ request }, { extent, kept, regions: [] }) };
  }
  if (!painted) return { count: 1, pixels };
  const opened = (await openMask(await bytesOf(painted), size)).mask;
  const regions = partsOf(request, opened, { width: side, height: side });
  return { count: regions.length, pixels, detailBytes: detailBytesOf({ request }, { extent, mask: opened, regions }) };
}
