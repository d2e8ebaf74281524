import { expect, test } from 'vitest';
import { mostTokensTogether } from '#engine/networks/infinity/rows-together.js';

const TOKENS = { 512: 1024, 1024: 4096 };

test.each([
  ['the built-in pack', 128, 64, true],
  ['VAREdit-2B at 512 pixels', 2048, TOKENS[512], true],
  ['VAREdit-2B at 1024 pixels', 2048, TOKENS[1024], false],
  ['VAREdit-8B at 512 pixels', 3584, TOKENS[512], false],
])('the rows of guidance of %s go together: %#', (_, width, tokens, together) => {
  expect(tokens <= mostTokensTogether(width)).toBe(together);
});
