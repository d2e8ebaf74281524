import type { OwnAction } from '#document/keys.js';
import type { Brush, MaskTool } from '#state/brush.svelte.js';
import type { Studio } from '#state/studio.svelte.js';

/** What the window's own actions do, whichever keys ask for them. */
export function ownActions(studio: Studio, brush: Brush): Readonly<Record<OwnAction, () => void>> {
  const take = (tool: MaskTool) => () => (brush.tool = tool);
  return {
    run: () => void studio.run(),
    instruction: () => document.getElementById('instruction')?.focus(),
    earlier: () => document.getElementById('earlier')?.click(),
    stopHere: () => {
      if (studio.phase === 'running') void studio.stopHere();
    },
    continueRun: () => {
      if (studio.unfinished) void studio.continueRun();
    },
    keep: () => {
      studio.keep();
    },
    discard: () => {
      studio.discard();
    },
    brush: () => {
      brush.tool = 'brush';
      brush.erase = false;
    },
    eraser: () => (brush.erase = true),
    lasso: take('lasso'),
    polygon: take('polygon'),
    rectangle: take('rectangle'),
    ellipse: take('ellipse'),
    similar: take('similar'),
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
