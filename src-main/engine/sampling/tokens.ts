import { at } from '#base/assert.js';
import { cellCount } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { TokenFile } from '#contract/request.js';
import type { BitwiseQuantiser, ScaleBits } from './quantiser.js';

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

export function packTokens(pack: string, quantiser: BitwiseQuantiser, bits: readonly ScaleBits[]): TokenFile {
  const size = quantiser.tokenBits;
  const tokens = bits.map((scale) =>
    Array.from({ length: scale.length / size }, (_, t) => packToken(scale.subarray(t * size, (t + 1) * size))),
  );
  return { pack, schedule: quantiser.schedule.map(([rows, columns]) => [rows, columns]), tokens };
}

/** The bits in a token file, checked against the pack that is to read them. */
export function unpackTokens(file: TokenFile, pack: string, quantiser: BitwiseQuantiser): readonly ScaleBits[] {
  if (file.pack !== pack)
    throw new ExpectedError('tokens.invalid', `Expected tokens of the pack "${pack}" but received tokens of "${file.pack}".`);
  if (JSON.stringify(file.schedule) !== JSON.stringify(quantiser.schedule)) {
    throw new ExpectedError('tokens.invalid', `Expected the scales of the pack "${pack}" in the token file but received others.`);
  }
  if (file.tokens.length > quantiser.scales) {
    throw new ExpectedError('tokens.invalid', `Expected at most ${quantiser.scales} scales of tokens but received ${file.tokens.length}.`);
  }
  return file.tokens.map((tokens, k) => unpackScale(tokens, quantiser, k));
}

function unpackScale(tokens: readonly string[], quantiser: BitwiseQuantiser, k: number): ScaleBits {
  const size = quantiser.tokenBits;
  const count = cellCount(at(quantiser.schedule, k));
  const digits = Math.ceil(size / 4);
  if (tokens.length !== count || tokens.some((token) => token.length !== digits)) {
    throw new ExpectedError('tokens.invalid', `Expected ${count} tokens of ${digits} hex digits at scale ${k + 1} of the token file.`);
  }
  const bits = new Uint8Array(count * size);
  tokens.forEach((token, t) => {
    unpackToken(token, bits.subarray(t * size, (t + 1) * size));
  });
  return bits;
}
