import { expect, test } from 'vitest';
import { Brush } from '#state/brush.svelte.js';

test('a brush suits its picture: a tenth of the shorter side, at most half of the longer one', () => {
  const brush = new Brush();
  brush.fit({ width: 4000, height: 3000 });
  expect(brush.sizePx).toBe(300);
  brush.moveTo(1);
  expect(brush.sizePx).toBeCloseTo(2000);
  brush.grow();
  expect(brush.sizePx).toBe(2000);
  brush.moveTo(0);
  brush.shrink();
  expect(brush.sizePx).toBe(2);
});

test('the slider’s middle is the geometric one, and its position follows the keys', () => {
  const brush = new Brush();
  brush.fit({ width: 800, height: 800 });
  brush.moveTo(0.5);
  expect(brush.sizePx).toBeCloseTo(Math.sqrt(2 * 400));
  expect(brush.position).toBeCloseTo(0.5);
  brush.grow();
  brush.shrink();
  expect(brush.position).toBeCloseTo(0.5);
});

test('the mask’s colour goes round', () => {
  const brush = new Brush();
  brush.nextTint();
  expect(brush.tint).toBe('teal');
  brush.nextTint();
  expect(brush.tint).toBe('red');
});
