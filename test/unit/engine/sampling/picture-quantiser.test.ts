import { expect, test } from 'vitest';
import { Codebook } from '#engine/sampling/codebook.js';
import { PictureQuantiser } from '#engine/sampling/picture-quantiser.js';
import { floats } from '#engine/tensor/tensor.js';

const quantiser = new PictureQuantiser({
  schedule: [
    [1, 1],
    [1, 8],
  ],
  codebook: new Codebook(floats([3, 1], Float32Array.of(-1, 0, 1))),
  certain: [false, true],
});
const options = { temperature: 1, topP: 1, topK: 0, seed: 3 };
/** The first entry is the likeliest by little. */
const logits = Float32Array.from({ length: 24 }, (_, i) => (i % 3 === 0 ? 0.1 : 0));

test('a grid that the model was not trained on is drawn by arg-max, but where its tokens are re-rolled', () => {
  expect([...quantiser.draw(logits, options, 1)]).toEqual(Array.from({ length: 8 }, () => 0));
  expect(new Set(quantiser.draw(logits, { ...options, byChance: true }, 1)).size).toBeGreaterThan(1);
  expect(new Set(quantiser.draw(logits, options, 0)).size).toBeGreaterThan(1);
});
