import { setFlagsFromString } from 'node:v8';

/**
 * V8 gives what lives shortly more room the more is made, up to 32 MB, and takes it back when the program rests: one that has
 * worked for hours would hold a fifth more than one that began. What is large here lies outside of V8's heap; the room that the
 * rest begins with is enough. Every program of ours that stays begins with this.
 */
export function keepHeapSteady(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
