import type { Action } from '#document/keys.js';

/** Every action once, in the order of the sheet. */
export const GROUPS = [
  { name: 'files', actions: ['open', 'save', 'saveAgain', 'openCheckpoint', 'packs', 'hardware', 'preferences', 'keys', 'guide'] },
  { name: 'doing', actions: ['instruction', 'earlier', 'run', 'another', 'stopHere', 'continueRun', 'keep', 'discard', 'undo', 'redo'] },
  {
    name: 'mask',
    actions: [
      'brush',
      'remove',
      'eraser',
      'lasso',
      'polygon',
      'rectangle',
      'ellipse',
      'similar',
      'object',
      'crop',
      'smaller',
      'larger',
      'softer',
      'harder',
    ],
  },
  { name: 'view', actions: ['hand', 'zoomIn', 'zoomOut', 'fit', 'actualSize'] },
] as const satisfies readonly { readonly name: string; readonly actions: readonly Action[] }[];
