import type { OwnAction } from '#document/keys.js';
import type { Brush, MaskTool } from '#state/brush.svelte.js';
import type { Studio } from '#state/studio.svelte.js';

/** What the window's own actions do, whichever keys ask for them. */
export function ownActions(studio: Studio, brush: Brush): Readonly<Record<OwnAction, () => void>> {
  const take = (tool: MaskTool) => () => {
    brush.take(tool);
  };
  return {
    run: () => void studio.runner.press(),
    another: () => {
      if (studio.result) void studio.runner.another();
    },
    instruction: () => document.getElementById('instruction')?.focus(),
    earlier: () => document.getElementById('earlier')?.click(),
    stopHere: () => {
      if (studio.phase === 'running') void studio.runner.stopHere();
    },
    continueRun: () => {
      if (studio.runner.unfinished) void studio.runner.continueRun();
    },
    keep: () => {
      studio.keep();
    },
    discard: () => {
      studio.discard();
    },
    hand: take('hand'),
    brush: take('brush'),
    remove: take('remove'),
    eraser: () => {
      brush.takeEraser();
    },
    lasso: take('lasso'),
    polygon: take('polygon'),
    rectangle: take('rectangle'),
    ellipse: take('ellipse'),
    similar: take('similar'),
    object: take('object'),
    crop: () => {
      if (studio.framer.on) studio.framer.leave();
      else if (studio.canPaint) studio.framer.begin();
    },
    smaller: () => {
      brush.shrink();
    },
    larger: () => {
      brush.grow();
    },
    softer: () => {
      brush.soften();
    },
    harder: () => {
      brush.harden();
    },
  };
}
