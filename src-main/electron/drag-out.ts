import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { app, type WebContents } from 'electron';
import type { PictureInfo } from '#contract/api.js';
import type { PictureId } from '#contract/request.js';
import { safeFileName } from '#service/names.js';
import { openPrivateFolder, type PrivateFolder } from '#service/picture-folder.js';
import type { ServiceClient } from './service-client.js';

/** Pictures of the service as files that the system can drag; they are gone with the application. */
export class DragOut {
  #folder: Promise<PrivateFolder> | undefined;

  async start(picture: PictureId, contents: WebContents, service: ServiceClient): Promise<void> {
    const { name } = (await service.call('picture.describe', { id: picture })) as PictureInfo;
    const { body, ok } = await service.get(`/api/pictures/${picture}`);
    if (!ok || body === null) return;
    // It goes when the application does; what a killed one left goes at the next start.
    const folder = await (this.#folder ??= openPrivateFolder(app.getPath('temp'), 'drag'));
    const file = path.join(folder.path, safeFileName(name));
    await pipeline(Readable.fromWeb(body as ReadableStream), createWriteStream(file));
    // The system's own icon of such a file: no picture is decoded here.
    contents.startDrag({ file, icon: await app.getFileIcon(file) });
  }
}
