import { endingOf, expectGoing } from '#contract/ending.js';
import { toErrorData, type ErrorData } from '#contract/errors.js';
import type { CheckpointReport, CheckpointSide, CheckpointTask, ImportRequestInput, PackSummary } from '#contract/api.js';
import type { ControlKind } from '#contract/request.js';
import type { Precision } from '#contract/pack-card.js';
import type { PageLink } from '#link/http.js';

/** What the user says of published files. */
export interface CheckpointWish {
  /** Paths, one per line. */
  readonly paths: string;
  /** Of the pack; undefined = the transformer's file. */
  readonly name: string | undefined;
  /** Undefined = what suits the machine that computes. */
  readonly precision: Precision | undefined;
  /** Weights that need no other precision are not copied. */
  readonly inPlace: boolean;
  readonly control: ControlKind | undefined;
  /** Undefined = as the files say. */
  readonly task: CheckpointTask | undefined;
  /** Undefined = as the task's published models. */
  readonly pixels: CheckpointSide | undefined;
}

const NOTHING: CheckpointWish = {
  paths: '',
  name: undefined,
  precision: undefined,
  inPlace: true,
  control: undefined,
  task: undefined,
  pixels: undefined,
};

/** Published files on their way to becoming a pack: looked at, then imported. */
export class Checkpoint {
  wish = $state.raw<CheckpointWish>(NOTHING);
  report = $state.raw<CheckpointReport>();
  error = $state.raw<ErrorData>();
  /** 0..1 while an import runs. */
  progress = $state<number>();

  readonly #link: PageLink;
  #looks = 0;
  #importing: AbortController | undefined;

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** What is chosen, by the user or else for the machine. */
  get precision(): Precision {
    return this.wish.precision ?? this.report?.offered ?? 'float32';
  }

  begin(): void {
    this.wish = NOTHING;
    this.report = undefined;
    this.error = undefined;
  }

  /** Takes what changed and looks at the files again, where that matters. */
  async change(change: Partial<CheckpointWish>): Promise<void> {
    this.wish = { ...this.wish, ...change };
    if ('precision' in change || 'name' in change) return;
    this.#looks += 1;
    const look = this.#looks;
    const request = this.#request();
    let [report, error]: [CheckpointReport | undefined, ErrorData | undefined] = [undefined, undefined];
    if (request.files.length > 0) {
      try {
        report = await this.#link.call('checkpoints.describe', request);
      } catch (cause) {
        error = toErrorData(cause);
      }
    }
    // Typing goes on while the files are looked at; the last look counts.
    if (look === this.#looks) [this.report, this.error] = [report, error];
  }

  /** The pack; undefined where it was cancelled or refused, which is then said. */
  async import(): Promise<PackSummary | undefined> {
    if (!this.report || this.progress !== undefined) return undefined;
    const controller = new AbortController();
    this.#importing = controller;
    this.progress = 0;
    this.error = undefined;
    try {
      for await (const said of this.#link.stream('checkpoints.import', this.#request(), controller.signal)) {
        const event = expectGoing(said);
        if (event.type === 'imported') return event.pack;
        this.progress = event.doneBytes / event.totalBytes;
      }
      return undefined;
    } catch (error) {
      const ending = endingOf(error, controller.signal);
      if (ending.type === 'failed') this.error = ending.error;
      return undefined;
    } finally {
      this.progress = undefined;
      this.#importing = undefined;
    }
  }

  cancel(): void {
    this.#importing?.abort();
  }

  #request(): ImportRequestInput {
    const { paths, name, inPlace, control, task, pixels } = this.wish;
    const files = paths
      .split('\n')
      .map(unquoted)
      .filter((path) => path !== '');
    return {
      files,
      precision: this.precision,
      inPlace,
      ...(name && { name }),
      ...(control && { control }),
      ...(task && { task }),
      ...(pixels && { pixels }),
    };
  }
}

/** File managers put paths with spaces into quotes. */
function unquoted(line: string): string {
  return line.trim().replace(/^(["'])(.*)\1$/u, '$2');
}
