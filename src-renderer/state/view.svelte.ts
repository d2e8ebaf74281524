import type { Extent } from '#base/geometry.js';
import { centred, fitted, inSight, panned, shownTo, zoomedAt, type ScreenPoint, type Viewport } from '#canvas/viewport.js';

const ZOOM_STEP = 1.25;

/** How the picture is looked at: what of it, how large, and with what beside it. */
export class View {
  screen = $state.raw<Extent>({ width: 0, height: 0 });
  viewport = $state.raw<Viewport>({ zoom: 1, offset: { x: 0, y: 0 } });
  /** Does the picture stay fitted when the window changes? */
  fits = $state(true);
  rulers = $state(false);
  /** A button is held on the picture. */
  pressed = $state(false);

  /** Pixels of the screen for one of the page. */
  density = $state(1);

  /** Pixels of the screen for one of the picture, in percent. */
  readonly percent = $derived(Math.round(this.viewport.zoom * this.density * 100));
  readonly centre: ScreenPoint = $derived({ x: this.screen.width / 2, y: this.screen.height / 2 });

  #picture: Extent | undefined;

  look(next: Viewport): void {
    this.fits = false;
    this.viewport = this.#picture && this.screen.width > 0 ? inSight(next, this.#picture, this.screen) : next;
  }

  panBy(by: ScreenPoint): void {
    this.look(panned(this.viewport, by));
  }

  zoomAt(anchor: ScreenPoint, factor: number): void {
    this.look(zoomedAt(this.viewport, anchor, factor));
  }

  zoomIn(): void {
    this.zoomAt(this.centre, ZOOM_STEP);
  }

  zoomOut(): void {
    this.zoomAt(this.centre, 1 / ZOOM_STEP);
  }

  fit(): void {
    this.fits = true;
  }

  /** Follows the window and the picture for as long as it is fitted. */
  refit(picture: Extent): void {
    this.#picture = picture;
    if (this.fits && this.screen.width > 0) this.viewport = fitted(picture, this.screen);
  }

  /** Keeps the side of a picture in view that is being pulled outwards. */
  follow(picture: Extent, outwards: ScreenPoint): void {
    this.look(shownTo(this.viewport, { picture, screen: this.screen }, outwards));
  }

  /** One pixel of the picture on one of the screen. */
  actualSize(picture: Extent | undefined): void {
    if (picture) this.look(centred(picture, this.screen, 1 / this.density));
  }
}
