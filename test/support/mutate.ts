import fc from 'fast-check';

/** What programs trip over, in place of any value. */
const NASTY: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  2 ** 53,
  -(2 ** 31),
  '',
  '..',
  '../../etc/passwd',
  '/dev/zero',
  'a\0b',
  '\ud800',
  'x'.repeat(5000),
  '__proto__',
  'constructor',
  [],
  {},
  [[[[[[[[[[[[]]]]]]]]]]]],
  { length: 2 ** 32 },
  Array.from({ length: 2000 }, () => 0),
];

export type Mutation = readonly { readonly at: number; readonly how: number }[];

/** A few changes of a value made of JSON. */
export const mutations: fc.Arbitrary<Mutation> = fc.array(fc.record({ at: fc.nat(), how: fc.nat(NASTY.length + 4) }), {
  minLength: 1,
  maxLength: 4,
});

type Container = Record<string, unknown>;

/** The value with something in it changed, left out, doubled or named otherwise; the value itself stays as it is. */
export function mutated<T>(value: T, mutation: Mutation): T {
  const root: Container = { value: structuredClone(value) };
  for (const { at, how } of mutation) {
    const places = placesIn(root);
    const place = places[at % Math.max(1, places.length)];
    if (place) change(...place, how);
  }
  return root['value'] as T;
}

function placesIn(container: Container): readonly (readonly [Container, string])[] {
  return Object.keys(container).flatMap((key) => {
    const inner = container[key];
    const own = [[container, key] as const];
    return typeof inner === 'object' && inner !== null ? [...own, ...placesIn(inner as Container)] : own;
  });
}

function change(holder: Container, key: string, how: number): void {
  const value = holder[key];
  if (how < NASTY.length) holder[key] = structuredClone(NASTY[how]);
  else if (how === NASTY.length) Reflect.deleteProperty(holder, key);
  else if (how === NASTY.length + 1) holder[`${key}2`] = value;
  else if (how === NASTY.length + 2 && Array.isArray(value)) value.push(...(structuredClone(value) as unknown[]));
  else if (how === NASTY.length + 3 && typeof value === 'string') holder[key] = value.slice(0, -1);
  else if (typeof value === 'number') holder[key] = value + 1;
}
