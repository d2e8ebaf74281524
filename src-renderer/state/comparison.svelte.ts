import type { Extent, Rect } from '#base/geometry.js';
import { sameExtent } from '#base/geometry.js';
import { spaceOf, type Space } from '#document/space.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { ShownPicture } from './pictures.js';
import type { Look, Phase, Sheet, ShownResult } from './sheets.js';

/** What there is to be compared. */
export interface ComparisonContext {
  readonly document: PhotoDocument;
  readonly result: ShownResult | undefined;
  readonly phase: Phase;
  readonly space: Space | undefined;
}

/** An earlier picture, and where it lies in the space of the one that is shown. */
export interface Before {
  readonly picture: ShownPicture;
  readonly place: Rect;
}

/** Before and after: the picture that is shown beside the step before it, or beside the photo as it was opened. */
export class Comparison {
  /** Shows what was there before in place of what is. */
  on = $state(false);
  look = $state<Look>('result');
  against = $state<'step' | 'original'>('step');

  /** Undefined where there is nothing else, and while something is being made. */
  readonly before: Before | undefined = $derived.by(() => this.#before());
  /** The earlier picture is shown. */
  readonly shows: Before | undefined = $derived(this.on ? this.before : undefined);

  readonly #context: ComparisonContext;

  constructor(context: ComparisonContext) {
    this.#context = context;
  }

  /** The picture itself is looked at again. */
  end(): void {
    this.on = false;
    this.look = 'result';
  }

  #before(): Before | undefined {
    const { document, result, phase, space } = this.#context;
    if (!space || phase === 'running') return undefined;
    // Beside a picture that was turned or cut, what was there before lies nowhere.
    const framed = document.sheets.findLastIndex(({ framing, hidden }, i) => i <= document.step && framing !== undefined && !hidden);
    const steps = document.sheets.slice(Math.max(0, framed), document.step + 1);
    const places = placesOf(steps, space);
    const last = result ? steps.length - 1 : steps.length - 2;
    const index = this.against === 'original' ? Math.min(0, last) : last;
    const [sheet, place] = [steps[index], places[index]];
    return sheet && place && { picture: sheet.picture, place };
  }
}

/** Where each of the steps lies in the space: the last is its source, and each lies in the one behind it. */
function placesOf(steps: readonly Sheet[], space: Space): readonly Rect[] {
  const places: Rect[] = [];
  let place: Rect = space.source;
  for (let i = steps.length - 1; i >= 0; i--) {
    places[i] = place;
    const [inner, outer] = [steps[i - 1]?.picture.info.size, steps[i]];
    if (inner && outer) place = within(place, inner, outer);
  }
  return places;
}

/** A picture of the size of the next lies on all of it; one that was expanded, inside its border. */
function within(place: Rect, inner: Extent, { picture, recipe }: Sheet): Rect {
  const { left = 0, right = 0, top = 0, bottom = 0 } = recipe?.request.margins ?? {};
  const { extent, source } = spaceOf(inner, { left, right, top, bottom });
  if (!sameExtent(extent, picture.info.size)) return place;
  return { ...source, x: place.x + source.x, y: place.y + source.y };
}
