import * as v from 'valibot';
import { Framing, MOST_FRAMINGS } from './framing.js';
import type { Notice } from './event.js';
import type { AnyCard, PackCard } from './pack-card.js';
import { EditRequest, TokenFile, type EditRequestInput } from './request.js';

/** How a picture came about: the wish without the pictures that it named, and the tokens that answered it. */
export const Recipe = v.object({
  request: v.omit(EditRequest, ['source', 'mask', 'resume', 'previews', 'output', 'copy']),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0)),
  tokens: TokenFile,
  /** How the photograph was turned and cut before it, step by step. */
  framings: v.optional(v.pipe(v.array(Framing), v.maxLength(MOST_FRAMINGS))),
});
export type Recipe = v.InferInput<typeof Recipe>;

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/u));

/** A recipe as it travels inside a picture's file. No path, no name of a file, no picture is in it. */
export const FileRecipe = v.object({
  /** The version of this layout. */
  scalebrush: v.literal(1),
  pack: v.object({ name: v.string(), version: v.string(), sha256: v.pipe(v.array(Sha256), v.maxLength(64)) }),
  request: Recipe.entries.request,
  seed: Recipe.entries.seed,
  /** Absent where the format has no room for them. */
  tokens: v.optional(TokenFile),
  framings: Recipe.entries.framings,
});
export type FileRecipe = v.InferInput<typeof FileRecipe>;

/** What is to be said where the installed pack is not the one that a picture was made with; a recipe that names no weights may be of any. */
export function packNotice({ pack }: FileRecipe, installed: Pick<AnyCard, 'version' | 'files'> | undefined): Notice | undefined {
  const { name, version, sha256 } = pack;
  if (installed?.version !== version) {
    const message = `It was made with the pack ${name} ${version}, which is not installed.`;
    return { code: 'recipe.other-pack', message, details: { name, version } };
  }
  const own = new Set(installed.files.map((file) => file.sha256));
  if (sha256.length === 0 || (sha256.length === own.size && sha256.every((digest) => own.has(digest)))) return undefined;
  const message = `It was made with other weights of ${name} ${version} than are installed: a new run will draw another picture.`;
  return { code: 'recipe.other-weights', message, details: { name, version } };
}

/** The wish without the pictures that it names. */
export function wishOf(request: EditRequestInput): Recipe['request'] {
  const { source: _source, mask: _mask, resume: _resume, previews: _previews, output: _output, copy: _copy, control, ...wish } = request;
  if (!control) return wish;
  const { map: _map, ...settings } = control;
  return { ...wish, control: settings };
}

/** What makes this one picture, and nothing that does not: equal pictures of one pack have equal recipes. */
export function fileRecipeOf(
  { name, version, files }: Pick<PackCard, 'name' | 'version' | 'files'>,
  { request, seed, tokens, framings }: Recipe,
): FileRecipe {
  const { control, count: _count, stopAtScale: _stop, ...wish } = wishOf(request);
  return {
    scalebrush: 1,
    pack: { name, version, sha256: files.map(({ sha256 }) => sha256) },
    request: { ...wish, seed, ...(control && control.strength !== 0 && { control }) },
    seed,
    tokens,
    ...(framings && { framings }),
  };
}
