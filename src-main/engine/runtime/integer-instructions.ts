import { readFileSync } from 'node:fs';
import type { IntegerInstructions } from '#contract/api.js';

/** Names in Linux' list of a processor's abilities, the fastest first. */
const NAMES: readonly (readonly [flag: string, IntegerInstructions])[] = [
  ['amx_int8', 'AMX'],
  ['avx512_vnni', 'AVX-512 VNNI'],
  ['avx_vnni', 'AVX-VNNI'],
  ['i8mm', 'I8MM'],
  ['asimddp', 'DOTPROD'],
];

/** What says which instructions a processor has. */
interface Told {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** `/proc/cpuinfo` of Linux. */
  readonly cpuInfo: string | undefined;
}

/** By which instructions this machine multiplies 8-bit integers; "unknown" where the system does not say. */
export function integerInstructions({ platform, arch, cpuInfo }: Told = toldHere()): IntegerInstructions {
  // Every Mac with Apple's own processors has them, and says so nowhere that can be read.
  if (platform === 'darwin' && arch === 'arm64') return 'DOTPROD';
  const words = /^(?:flags|Features)\s*:(.*)$/mu.exec(cpuInfo ?? '')?.[1]?.trim();
  if (!words) return 'unknown';
  const flags = new Set(words.split(/\s+/u));
  return NAMES.find(([flag]) => flags.has(flag))?.[1] ?? 'none';
}

/**
 * Whether products of 8-bit integers saturate here: x86 without such instructions adds neighbouring two of them in 16 bits
 * (PMADDUBSW; ONNX Runtime 1.30 multiplies unsigned by signed bytes with it), which clips the largest. False where that is not known.
 */
export function productsSaturate(told: Told = toldHere()): boolean {
  return told.arch === 'x64' && integerInstructions(told) === 'none';
}

function toldHere(): Told {
  const { platform, arch } = process;
  return { platform, arch, cpuInfo: platform === 'linux' ? readIfThere('/proc/cpuinfo') : undefined };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
