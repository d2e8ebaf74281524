/**
 * Every failure that we expect, one row each. Nothing matches on the English sentence:
 * hosts, window and tests look at the code.
 */
export interface ErrorRow {
  /** What went wrong, as a sentence for the user; `{name}` parts are filled from details. */
  readonly advice: string;
  /** May the same request be sent again unchanged? */
  readonly retry: boolean;
}

export const ERROR_CODES = {
  'request.invalid': { advice: 'Correct the named field and try again.', retry: false },
  'image.unreadable': { advice: 'Open the file in an image editor and save it again.', retry: false },
  'image.unsupported': { advice: 'Convert the picture to PNG, JPEG, WebP, TIFF or AVIF first.', retry: false },
  'image.too-large': { advice: 'Use a picture of at most 100 megapixels and 65,500 pixels on each side.', retry: false },
  'output.too-large': { advice: 'Choose a format without this limit, PNG or TIFF, or make the picture smaller.', retry: false },
  'image.too-small': { advice: 'Use a picture of at least 16 pixels on each side.', retry: false },
  'mask.empty': { advice: 'Paint the part that should change.', retry: false },
  'mask.invalid': {
    advice: 'Use a picture that is white where to repaint and black elsewhere, or one with that part erased.',
    retry: false,
  },
  'mask.size': { advice: 'Use a mask of the same shape as the picture.', retry: false },
  'instruction.unknown-words': { advice: 'Use words that this pack knows.', retry: false },
  'instruction.negated': { advice: 'Say what should change instead.', retry: false },
  'instruction.missing': { advice: 'Write what should change.', retry: false },
  'pack.unknown': { advice: 'List the installed packs and choose one of them.', retry: false },
  'pack.damaged': { advice: 'Verify the pack and install it again.', retry: false },
  'pack.unable': { advice: 'Choose a pack that can do this.', retry: false },
  'pack.protected': { advice: 'Built-in packs stay.', retry: false },
  'weights.refused': {
    advice: 'Use a published file, or save the state dict alone with a current PyTorch: torch.save(model.state_dict(), "weights.pth").',
    retry: false,
  },
  'weights.changed': { advice: 'Reload the model.', retry: true },
  'weights.damaged': { advice: 'Verify the pack and install it again.', retry: false },
  'tokens.invalid': { advice: 'Use a token file made by this pack.', retry: false },
  'memory.too-little': { advice: 'Choose a smaller depth preset.', retry: true },
  'provider.unavailable': { advice: 'Choose another provider.', retry: false },
  'inference.died': { advice: 'Your picture is unchanged; run the edit again.', retry: true },
  'picture.unknown': { advice: 'Open the picture again.', retry: false },
  'project.unreadable': { advice: 'Open the copy that was saved before.', retry: false },
  'project.newer': { advice: 'Open it with a newer Scalebrush.', retry: false },
  'output.exists': { advice: 'Choose another name.', retry: false },
  'output.unwritable': { advice: 'Choose a folder that can be written.', retry: true },
  'job.busy': { advice: 'Wait for the running jobs to end.', retry: true },
  'job.unknown': { advice: 'The job has ended.', retry: false },
  'service.unreachable': { advice: 'Look whether the studio is still running, then try again.', retry: true },
  'farm.unreachable': { advice: 'Look whether the farm’s Redis runs and SCALEBRUSH_FARM names it, then try again.', retry: true },
  'farm.unsafe': { advice: 'Change the named setting of the farm, as docs/farm.md says.', retry: false },
  'access.denied': { advice: 'Open the address that the server printed.', retry: false },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error as it travels: data, because a process boundary keeps nothing else. */
export interface ErrorData {
  readonly code: ErrorCode | 'bug';
  readonly message: string;
  readonly advice: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure that we foresaw and can explain: shown kindly, exit code 2, no stack. */
export class ExpectedError extends Error {
  override readonly name = 'ExpectedError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** The user changed their mind: silent everywhere, exit code 130. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Any thrown value as data for a boundary. */
export function toErrorData(error: unknown): ErrorData {
  if (error instanceof ExpectedError) {
    const { code, message, details } = error;
    return { code, message, advice: ERROR_CODES[code].advice, details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'bug', message, advice: 'Please report this.', details: {} };
}

/** The error that `toErrorData` described, on the other side of a boundary. */
export function fromErrorData(data: ErrorData): Error {
  if (data.code === 'bug') return new Error(data.message);
  return new ExpectedError(data.code, data.message, { details: { ...data.details } });
}

export function throwIfCancelled(signal: { readonly aborted: boolean }): void {
  if (signal.aborted) throw new CancelledError('Cancelled.');
}
