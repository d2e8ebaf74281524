import { ExpectedError } from '#contract/errors.js';
import type { EditRequest, Margins, PictureId, Task } from '#contract/request.js';

/** What each kind of task cannot do without; checked before a job takes its place in the queue. */
export function expectCompleteTask(request: EditRequest): void {
  RULES[request.task](request);
  expectPaddable(request);
}

const RULES: Readonly<Record<Task, (request: EditRequest) => void>> = {
  edit: (request) => {
    expectSource(request);
    // A picture that is refined from its own coarse scales needs no words; packs that cannot do so say it themselves.
    if (request.structure === 0 || request.mask !== undefined) expectInstruction(request);
  },
  fill: (request) => {
    expectSource(request);
    if (request.mask === undefined) throw new ExpectedError('mask.empty', 'Expected a mask for fill but received none.');
  },
  expand: (request) => {
    expectSource(request);
    if (!isWider(request.margins)) throw missing('at least one margin above 0', 'margins');
  },
  generate: (request) => {
    if (request.control === undefined) expectInstruction(request);
    else if (request.control.map === undefined) expectSource(request);
  },
  control: (request) => {
    expectSource(request);
    if (request.control === undefined) throw missing('a kind of control map', 'control');
  },
};

/** Every picture that the request names. */
export function namedPictures({ source, mask, control, copy }: EditRequest): readonly PictureId[] {
  return [...new Set([source, mask, control?.map, copy?.mask].filter((id) => id !== undefined))];
}

/** The same wish for pictures of other names. */
export function renamePictures(
  { source, mask, control, copy, ...wish }: EditRequest,
  names: ReadonlyMap<PictureId, PictureId>,
): EditRequest {
  const named = (id: PictureId) => names.get(id) ?? id;
  const { map } = control ?? {};
  return {
    ...wish,
    ...(source !== undefined && { source: named(source) }),
    ...(mask !== undefined && { mask: named(mask) }),
    ...(control && { control: { ...control, ...(map !== undefined && { map: named(map) }) } }),
    ...(copy && { copy: { ...copy, mask: named(copy.mask) } }),
  };
}

function expectSource({ source, task }: EditRequest): void {
  if (source === undefined)
    throw missing(`a picture to ${task === 'control' || task === 'generate' ? 'take the control map from' : task}`, 'source');
}

function expectInstruction({ instruction, task }: EditRequest): void {
  if (instruction.trim() === '') throw new ExpectedError('instruction.missing', `Expected an instruction for ${task} but received none.`);
}

function isWider(margins: Margins | undefined): boolean {
  return margins !== undefined && Math.max(margins.left, margins.right, margins.top, margins.bottom) > 0;
}

function expectPaddable({ padded, task, mask }: EditRequest): void {
  if (!padded || (task === 'edit' && mask === undefined)) return;
  throw new ExpectedError('request.invalid', 'Expected padding for an edit of a whole picture but received it for another request.', {
    details: { field: 'padded' },
  });
}

function missing(what: string, field: string): ExpectedError {
  return new ExpectedError('request.invalid', `Expected ${what} for ${field} but received none.`, { details: { field } });
}
