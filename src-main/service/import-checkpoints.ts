import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { PackSummary } from '#contract/api.js';
import type { ControlKind } from '#contract/request.js';
import type { Engine, InspectReport } from '#engine/door/engine.js';
import type { Library } from '#packs/library.js';

export interface ImportOptions {
  /** The pack's name; absent = that of the transformer's file. */
  readonly name?: string;
  /** Side of the picture that the transformer was trained for, where its tensors do not say. */
  readonly pixels?: number;
  /** What a ControlAR transformer was trained to hold, where its file's name does not say. */
  readonly control?: ControlKind;
}

/** Makes a pack of files that authors published: weights, and the tokenizer of a text encoder (`.json`). */
export async function importCheckpoints(
  { engine, library }: { engine: Engine; library: Library },
  files: readonly string[],
  options: ImportOptions = {},
): Promise<PackSummary> {
  const reports: InspectReport[] = [];
  for (const file of files) if (!isJson(file)) reports.push(await engine.inspect(file));
  const path = files.find(isJson);
  const textTokenizer = path === undefined ? {} : { textTokenizer: { path, bytes: (await stat(path)).size } };
  const widen = (file: string, target: string) => engine.widen(file, target);
  return library.importCheckpoints({ reports, ...textTokenizer, ...options }, widen);
}

function isJson(file: string): boolean {
  return extname(file).toLowerCase() === '.json';
}
