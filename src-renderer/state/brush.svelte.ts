/** Size and effect of the mask brush, in picture pixels. */
export class Brush {
  erase = $state(false);
  sizePx = $state(48);
  /** The longer side of the picture that is painted on. */
  #side = $state(1024);

  readonly smallest = 2;

  get largest(): number {
    return Math.max(16, Math.round(this.#side / 2));
  }

  /** A brush that suits a picture: a tenth of its shorter side. */
  fit({ width, height }: { readonly width: number; readonly height: number }): void {
    this.#side = Math.max(width, height);
    this.resize(Math.min(width, height) / 10);
  }

  resize(sizePx: number): void {
    this.sizePx = Math.min(this.largest, Math.max(this.smallest, sizePx));
  }
}
