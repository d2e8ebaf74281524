import { expect, it } from 'vitest';
import { SelectGesture } from '#canvas/gestures/select.js';

/** In a picture that is shown at half its size, pulled from (10, 20). */
function pulled(to: { readonly x: number; readonly y: number }): readonly unknown[] {
  const pointed: unknown[] = [];
  const box = { moveTo: () => undefined, drop: () => undefined };
  const toSource = ({ x, y }: { readonly x: number; readonly y: number }) => ({ x: 2 * x, y: 2 * y });
  const gesture = new SelectGesture({ x: 10, y: 20 }, box, { toSource, pointed: (at) => pointed.push(at) });
  gesture.move({ at: to, passed: [to], shift: false });
  gesture.lift();
  return pointed;
}

it('a press that hardly moves is a click, and a longer one a box', () => {
  expect(pulled({ x: 12, y: 21 })).toEqual([{ at: { x: 20, y: 40 } }]);
  expect(pulled({ x: 4, y: 40 })).toEqual([{ box: { x: 8, y: 40, width: 12, height: 40 } }]);
});
