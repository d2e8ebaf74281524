import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { app, type WebContents } from 'electron';
import type { PictureInfo } from '#contract/api.js';
import type { PictureId } from '#contract/request.js';
import { safeFileName } from '#service/names.js';
import type { ServiceClient } from './service-client.js';

/** Pictures of the service as files that the system can drag; they are gone with the application. */
export class DragOut {
  #folder: string | undefined;

  async start(picture: PictureId, contents: WebContents, service: ServiceClient): Promise<void> {
    const { name } = (await service.call('picture.describe', { id: picture })) as PictureInfo;
    const { body, ok } = await service.get(`/api/pictures/${picture}`);
    if (!ok || body === null) return;
    const file = path.join(this.#folderOfOurs(), safeFileName(name));
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(file));
    // The system's own icon of such a file: no picture is decoded here.
    contents.startDrag({ file, icon: await app.getFileIcon(file) });
  }

  #folderOfOurs(): string {
    if (this.#folder !== undefined) return this.#folder;
    const folder = mkdtempSync(path.join(app.getPath('temp'), 'scalebrush-drag-'));
    app.once('quit', () => {
      rmSync(folder, { recursive: true, force: true });
    });
    return (this.#folder = folder);
  }
}
