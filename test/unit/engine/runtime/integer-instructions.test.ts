import { expect, test } from 'vitest';
import { integerInstructions, productsSaturate } from '#engine/runtime/integer-instructions.js';

const info = (line: string) => `processor\t: 0\nmodel name\t: x\n${line}\nbugs\t\t: amx_int8\n`;

test.each([
  ['a server of Intel', 'x64', 'flags\t\t: fpu avx512f avx512_vnni amx_tile amx_int8 avx_vnni', 'AMX'],
  ['one of AMD', 'x64', 'flags\t\t: fpu avx2 avx512f avx512_vnni', 'AVX-512 VNNI'],
  ['a laptop', 'x64', 'flags\t\t: fpu avx2 avx_vnni', 'AVX-VNNI'],
  ['an old one', 'x64', 'flags\t\t: fpu sse4_2 avx2', 'none'],
  ['an ARM server', 'arm64', 'Features\t: fp asimd asimddp i8mm', 'I8MM'],
  ['a small board', 'arm64', 'Features\t: fp asimd asimddp', 'DOTPROD'],
  ['a virtual machine that says nothing', 'x64', 'flags\t\t: ', 'unknown'],
] as const)('%s says by what it multiplies integers', (_, arch, line, found) => {
  expect(integerInstructions({ platform: 'linux', arch, cpuInfo: info(line) })).toBe(found);
});

test('where the system does not say, nobody guesses; Apple’s own processors all have them', () => {
  expect(integerInstructions({ platform: 'win32', arch: 'x64', cpuInfo: undefined })).toBe('unknown');
  expect(integerInstructions({ platform: 'linux', arch: 'x64', cpuInfo: undefined })).toBe('unknown');
  expect(integerInstructions({ platform: 'darwin', arch: 'x64', cpuInfo: undefined })).toBe('unknown');
  expect(integerInstructions({ platform: 'darwin', arch: 'arm64', cpuInfo: undefined })).toBe('DOTPROD');
});

test.each([
  ['x64', 'flags\t\t: fpu sse4_2 avx2', true],
  ['x64', 'flags\t\t: fpu avx2 avx_vnni', false],
  ['arm64', 'Features\t: fp asimd', false],
  ['x64', 'flags\t\t: ', false],
] as const)('%s with “%s”: sums of products are clipped: %s', (arch, line, saturates) => {
  expect(productsSaturate({ platform: 'linux', arch, cpuInfo: info(line) })).toBe(saturates);
});
