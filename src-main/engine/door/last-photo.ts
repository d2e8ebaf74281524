import { openPhoto } from '#engine/image/files/decode.js';
import type { Photo } from '#engine/image/files/photo.js';
import type { EncodedPicture } from './engine.js';
import { bytesOf } from './encoded-picture.js';

/** So long a photograph is kept that nobody asks for. */
const KEPT_MS = 60_000;

/** The photograph in which an object was looked for last: one click seldom comes alone, and decoding takes longer than looking. */
export class LastPhoto {
  #file: string | undefined;
  #photo: Promise<Photo> | undefined;
  #timer: NodeJS.Timeout | undefined;

  get(picture: EncodedPicture): Promise<Photo> {
    const file = picture instanceof Uint8Array ? undefined : picture.file;
    if (file === undefined || file !== this.#file) this.#open(picture, file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.forget();
    }, KEPT_MS).unref();
    return this.#photo!;
  }

  forget(): void {
    clearTimeout(this.#timer);
    [this.#file, this.#photo] = [undefined, undefined];
  }

  #open(picture: EncodedPicture, file: string | undefined): void {
    const photo = bytesOf(picture).then(openPhoto);
    [this.#file, this.#photo] = [file, photo];
    photo.catch(() => {
      if (this.#photo === photo) this.forget();
    });
  }
}
