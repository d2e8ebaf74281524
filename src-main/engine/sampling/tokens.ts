import { at } from '#base/assert.js';
import { cellCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { TokenFile } from '#contract/request.js';
import type { Quantiser, ScaleTokens } from './quantiser.js';

/** Bits of one token as hex, four to a digit, the first bit lowest. */
function packToken(bits: Uint8Array): string {
  let hex = '';
  for (let i = 0; i < bits.length; i += 4) {
    let digit = 0;
    for (let j = 0; j < 4 && i + j < bits.length; j++) digit |= bits[i + j]! << j;
    hex += digit.toString(16);
  }
  return hex;
}

function unpackToken(hex: string, bits: Uint8Array): void {
  for (let i = 0; i < bits.length; i++) bits[i] = (Number.parseInt(hex.charAt(i >> 2), 16) >> (i & 3)) & 1;
}

export function packTokens(pack: string, quantiser: Quantiser, tokens: readonly ScaleTokens[]): TokenFile {
  return packRegions(pack, quantiser, [tokens]);
}

/** The same of a picture of which several parts were worked on. */
export function packRegions(pack: string, quantiser: Quantiser, regions: readonly (readonly ScaleTokens[])[]): TokenFile {
  const [tokens = [], ...further] = regions.map((scales) => scales.map((scale) => packScale(scale, quantiser)));
  const schedule = quantiser.schedule.map(([rows, columns]): [number, number] => [rows, columns]);
  return { pack, schedule, tokens, ...(further.length > 0 && { regions: further }) };
}

function packScale(tokens: ScaleTokens, { valuesPerToken: size }: Quantiser): TokenFile['tokens'][number] {
  if (tokens instanceof Uint16Array) return [...tokens];
  return Array.from({ length: tokens.length / size }, (_, t) => packToken(tokens.subarray(t * size, (t + 1) * size)));
}

/** The tokens in a file, checked against the pack that is to read them; of a picture of several parts, those of the first. */
export function unpackTokens(file: TokenFile, pack: string, quantiser: Quantiser): readonly ScaleTokens[] {
  return unpackRegions(file, pack, quantiser)[0] ?? [];
}

/** The same of every part. */
export function unpackRegions(file: TokenFile, pack: string, quantiser: Quantiser): readonly (readonly ScaleTokens[])[] {
  if (file.pack !== pack)
    throw new ExpectedError('tokens.invalid', `Expected tokens of the pack "${pack}" but received tokens of "${file.pack}".`);
  if (JSON.stringify(file.schedule) !== JSON.stringify(quantiser.schedule)) {
    throw new ExpectedError('tokens.invalid', `Expected the scales of the pack "${pack}" in the token file but received others.`);
  }
  const regions = [file.tokens, ...(file.regions ?? [])];
  const [{ length }] = regions as [TokenFile['tokens']];
  if (length > quantiser.scales) {
    throw new ExpectedError('tokens.invalid', `Expected at most ${quantiser.scales} scales of tokens but received ${length}.`);
  }
  const other = regions.find((rows) => rows.length !== length);
  if (other) {
    throw new ExpectedError('tokens.invalid', `Expected ${length} scales of tokens for every part but received ${other.length}.`);
  }
  return regions.map((rows) => rows.map((tokens, k) => unpackScale(tokens, quantiser, k)));
}

function unpackScale(tokens: TokenFile['tokens'][number], quantiser: Quantiser, k: number): ScaleTokens {
  const count = cellCount(at(quantiser.schedule, k));
  const { entries, valuesPerToken: size } = quantiser;
  const isSound = entries === undefined ? isHex(Math.ceil(size / 4)) : isIndex(entries);
  if (tokens.length !== count || !tokens.every(isSound)) {
    const kind = entries === undefined ? `tokens of ${Math.ceil(size / 4)} hex digits` : `indices below ${entries}`;
    throw new ExpectedError('tokens.invalid', `Expected ${count} ${kind} at scale ${k + 1} of the token file.`);
  }
  if (entries !== undefined) return Uint16Array.from(tokens as readonly number[]);
  const bits = new Uint8Array(count * size);
  tokens.forEach((token, t) => {
    unpackToken(String(token), bits.subarray(t * size, (t + 1) * size));
  });
  return bits;
}

function isHex(digits: number): (token: string | number) => boolean {
  return (token) => typeof token === 'string' && token.length === digits;
}

function isIndex(entries: number): (token: string | number) => boolean {
  return (token) => typeof token === 'number' && token < entries;
}
