import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { GraphModel } from '#engine/tensor/runner.js';
import type { FileIdentity } from '#engine/weights/checkpoint.js';
import { identityOf } from '#engine/weights/identity.js';
import { refused, shown } from '#engine/weights/refusal.js';
import { withWeightsFile, type WeightsFile } from '#engine/weights/weights-file.js';
import { expectSize, looksLikeOnnx, readOnnx, type ExternalData, type OnnxModel } from './onnx-reader.js';

const HEAD_BYTES = 16;

/** A foreign model, the file that it lies in and those that its weights lie in. */
export interface OnnxFile {
  readonly model: OnnxModel;
  readonly identity: FileIdentity;
  readonly external: readonly FileIdentity[];
}

/** Whether a file is an ONNX model, by its content. */
export function isOnnxFile(file: string): Promise<boolean> {
  return withWeightsFile(file, (opened) => looksLikeOnnx(opened.read(0, Math.min(HEAD_BYTES, opened.sizeBytes))));
}

/**
 * What an ONNX file holds; its weights are not read.
 *
 * @throws ExpectedError `weights.refused`
 */
export async function inspectOnnx(file: string): Promise<OnnxFile> {
  const { model, identity } = await withWeightsFile(file, (opened) => ({ model: readOnnx(opened), identity: opened.identity }));
  return { model, identity, external: await findExternal(model, path.dirname(path.resolve(file))) };
}

/** The same, ready to be opened: what is given to the runtime are the very bytes that were checked. */
export async function loadOnnx(file: string): Promise<OnnxFile & { readonly graph: GraphModel }> {
  const { model, identity, bytes } = await withWeightsFile(file, readWhole);
  const externalFolder = path.dirname(path.resolve(file));
  const external = await findExternal(model, externalFolder);
  return { model, identity, external, graph: { name: path.basename(file), bytes, externalFolder } };
}

function readWhole(file: WeightsFile) {
  const { label, sizeBytes, identity } = file;
  expectSize(file);
  const bytes = file.read(0, sizeBytes);
  const read = (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return { identity, bytes, model: readOnnx({ label, sizeBytes, read }) };
}

/** Regular files beside the model, each long enough. */
async function findExternal({ external }: OnnxModel, folder: string): Promise<FileIdentity[]> {
  const found = new Map<string, FileIdentity>();
  for (const { location, endBytes } of external) {
    const identity = found.get(location) ?? (await identifyBeside(folder, location));
    found.set(location, identity);
    if (endBytes > identity.sizeBytes) throw refused(`Expected ${endBytes} bytes in ${location} but received ${identity.sizeBytes}.`);
  }
  return [...found.values()];
}

/** Not through a link: what a model names beside itself is not any file of the user's. */
async function identifyBeside(folder: string, location: ExternalData['location']): Promise<FileIdentity> {
  const file = path.join(folder, location);
  const stats = await lstat(file).catch((cause: unknown) => {
    throw refused(`Expected the weights file ${shown(location)} beside the model but it is missing.`, cause);
  });
  return identityOf(file, stats);
}
