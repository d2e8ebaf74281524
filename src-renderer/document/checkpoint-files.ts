/** Weights as they are published, and the list of their parts. */
const WEIGHTS = /\.(?:pth|pt|bin|safetensors|onnx|index\.json)$/iu;

/** Whether a file is to become a pack, by its name. */
export function isCheckpoint(name: string): boolean {
  return WEIGHTS.test(name);
}
