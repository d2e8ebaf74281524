import { expectGoing } from '#contract/ending.js';
import { ExpectedError } from '#contract/errors.js';
import type { Candidate, EditEvent, Notice } from '#contract/event.js';
import { wishOf } from '#contract/recipe.js';
import { redrawOf, type EditRequestInput, type PictureId } from '#contract/request.js';
import type { PageLink } from '#link/http.js';
import type { Pictures } from './pictures.js';
import type { ScaleStrip } from './scale-strip.svelte.js';
import type { Running } from './run-order.js';
import type { ShownResult } from './sheets.js';

/** Where a run is heard, and where it shows. */
export interface RunPlace {
  readonly link: PageLink;
  readonly pictures: Pictures;
  readonly strip: ScaleStrip;
  readonly onnotices: (notices: readonly Notice[]) => void;
}

/** Follows a run to its end, scale by scale. Throws what the run failed with, or `service.unreachable`. */
export async function followRun(place: RunPlace, request: EditRequestInput, running: Running): Promise<readonly ShownResult[]> {
  const candidates: Candidate<PictureId>[] = [];
  let notices: readonly Notice[] = [];
  for await (const event of place.link.stream('edit.run', request, running.controller.signal)) {
    if (event.type === 'started') notices = event.plan.notices;
    if (event.type === 'candidate') {
      candidates.push(event.candidate);
      notices = [...notices, ...(event.candidate.notices ?? [])];
      place.onnotices(notices);
    } else if (event.type === 'done') {
      const results: ShownResult[] = [];
      const said = { margins: running.margins, totalMs: event.timingsMs.total, map: running.map };
      for (const candidate of candidates)
        results.push({
          ...(await place.pictures.show(candidate.picture)),
          candidate,
          request: wishOfCandidate(request, candidate),
          ...said,
        });
      if (results.length > 0) return results;
      break;
    } else await take(place, event);
  }
  throw new ExpectedError('service.unreachable', 'The run ended without a result.');
}

/** Candidates of a re-roll have seeds of their own for it. */
function wishOfCandidate(request: EditRequestInput, { index }: Candidate<PictureId>): ShownResult['request'] {
  const redraw = redrawOf(request, index);
  return { ...wishOf(request), ...(redraw && { redraw }) };
}

async function take({ pictures, strip, onnotices }: RunPlace, said: Exclude<EditEvent, { type: 'candidate' | 'done' }>): Promise<void> {
  const event = expectGoing(said);
  switch (event.type) {
    case 'started':
      onnotices(event.plan.notices);
      strip.begin(event.plan);
      break;
    case 'scale':
      strip.reach(event);
      break;
    case 'preview':
      strip.fill(event, await pictures.preview(event.picture));
      break;
    case 'detail':
      strip.reachDetail(event, event.picture === undefined ? undefined : await pictures.preview(event.picture));
      break;
  }
}
