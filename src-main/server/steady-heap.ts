import { setFlagsFromString } from 'node:v8';

/**
 * V8 gives what lives shortly more room the more is made, up to 32 MB, and takes it back when the program rests: one that has
 * served for hours would hold a fifth more than one that began. The room that it begins with is enough for it.
 */
export function keepHeapSteady(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
