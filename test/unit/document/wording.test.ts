import { expect, test } from 'vitest';
import { matching, withWordReplaced } from '#document/wording.js';

test.each([
  ['make the unicorn red', 'unicorn', 'car', 'make the car red'],
  ['Unicorn and unicorn', 'unicorn', 'car', 'car and car'],
  ['the carpet, the car.', 'car', 'house', 'the carpet, the house.'],
  ['un café noir', 'café', 'car', 'un car noir'],
  ['añb', 'b', 'car', 'añb'],
  ['c++ (big)', 'c++', 'car', 'car (big)'],
  ['price', 'price', '$& $1', '$& $1'],
  ['nothing here', 'unicorn', 'car', 'nothing here'],
])('%j with %j replaced by %j is %j', (instruction, word, replacement, expected) => {
  expect(withWordReplaced(instruction, word, replacement)).toBe(expected);
});

test.each([
  ['', ['make it night', 'make the car blue', 'Remove the CAR']],
  ['car', ['make the car blue', 'Remove the CAR']],
  [' the  make', ['make the car blue']],
  ['unicorn', []],
])('a search for %j finds %j', (search, found) => {
  expect(matching(['make it night', 'make the car blue', 'Remove the CAR'], search)).toEqual(found);
});
