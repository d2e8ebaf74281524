import { bytesOf, closeBitmap, shareSmaller, smallOf } from '#canvas/bitmap.js';

/** All pixels of pictures that may be held at once: two photographs of 24 megapixels with their copies, and some. */
const MOST_BYTES = 280_000_000;

/** Whoever walks through many steps looks at none of them. */
const REST_MS = 150;

/**
 * The pixels of one picture: a small copy for as long as the picture is known, and all of them while it is looked at.
 * A document of many large steps would fill the memory otherwise; the service has them all.
 */
export class Pixels {
  readonly small: ImageBitmap;
  #whole = $state.raw<ImageBitmap>();
  #coming: Promise<void> | undefined;
  #closed = false;
  readonly #load: () => Promise<ImageBitmap>;

  /** `load` reads all of them once more. */
  constructor(bitmap: ImageBitmap, load: () => Promise<ImageBitmap>) {
    this.#load = load;
    this.small = smallOf(bitmap);
    this.#whole = bitmap;
  }

  /** The best that is there. */
  get bitmap(): ImageBitmap {
    return this.#whole ?? this.small;
  }

  get isWhole(): boolean {
    return this.#whole !== undefined;
  }

  /** What could be let go of. */
  get bytes(): number {
    return this.#whole ? bytesOf(this.#whole, this.small) : 0;
  }

  /** Reads them where they are not there. Throws what the service refuses with. */
  async bringBack(): Promise<void> {
    if (this.#whole || this.#closed) return;
    this.#coming ??= this.#read().finally(() => (this.#coming = undefined));
    await this.#coming;
  }

  async #read(): Promise<void> {
    const bitmap = await this.#load();
    if (this.#closed) closeBitmap(bitmap);
    else {
      shareSmaller(bitmap, this.small);
      this.#whole = bitmap;
    }
  }

  /** The small copy stays. */
  letGo(): void {
    if (!this.#whole || this.#whole === this.small) return;
    closeBitmap(this.#whole, this.small);
    this.#whole = undefined;
  }

  close(): void {
    this.#closed = true;
    closeBitmap(this.#whole ?? this.small);
    this.#whole = undefined;
  }
}

/** Which pictures are whole: those that are looked at, and of the others as many as there is room for. */
export class WholePictures {
  /** The one that was looked at last is the last. */
  #all: readonly Pixels[] = [];
  #looked: readonly Pixels[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #mostBytes: number;

  constructor(mostBytes = MOST_BYTES) {
    this.#mostBytes = mostBytes;
  }

  add(pixels: Pixels): void {
    this.#all = [...this.#all, pixels];
    this.#makeRoom();
  }

  /** These are on the screen, or may be with the next key; what the service does not give stays small. */
  look(pixels: readonly Pixels[]): void {
    this.#looked = pixels;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const each of pixels) void this.whole(each).catch(() => undefined);
    }, REST_MS);
  }

  /** All of its pixels. Throws what the service refuses with. */
  async whole(pixels: Pixels): Promise<ImageBitmap> {
    await pixels.bringBack();
    this.#all = [...this.#all.filter((other) => other !== pixels), pixels];
    this.#makeRoom();
    return pixels.bitmap;
  }

  #makeRoom(): void {
    this.#all = this.#all.filter(({ isWhole }) => isWhole);
    let bytes = this.#all.reduce((sum, each) => sum + each.bytes, 0);
    for (const each of this.#all) {
      if (bytes <= this.#mostBytes) return;
      if (this.#looked.includes(each) || each === this.#all.at(-1)) continue;
      bytes -= each.bytes;
      each.letGo();
    }
  }
}
