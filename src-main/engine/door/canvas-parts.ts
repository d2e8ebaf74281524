import { readFacts } from '#engine/image/files/decode.js';
import { openMask } from '#engine/image/working/mask.js';
import { partsOf } from '#engine/pipelines/stage.js';
import { bytesOf, headOf } from './encoded-picture.js';
import type { EngineJob } from './engine.js';

/** How large the canvas is, and in how many parts, one after the other, the mask has it worked on. */
export async function partsOfCanvas({ request, pictures, pack }: EngineJob): Promise<{ readonly pixels: number; readonly count: number }> {
  const { task, source, mask, margins } = request;
  const [picture, painted] = [source, mask].map((id) => (id === undefined ? undefined : pictures[id]));
  const side = pack.card.imageSize;
  if (!picture) return { count: 1, pixels: side ** 2 };
  const { size } = await readFacts(await headOf(picture));
  const { left, right, top, bottom } = margins ?? { left: 0, right: 0, top: 0, bottom: 0 };
  const pixels = (size.width + left + right) * (size.height + top + bottom);
  if (!painted || task === 'expand') return { count: 1, pixels };
  const opened = (await openMask(await bytesOf(painted), size)).mask;
  return { count: partsOf(request, opened, { width: side, height: side }).length, pixels };
}
