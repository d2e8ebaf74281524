/** Compiled from src-kernels by the build; see scripts/kernels.mjs. */
declare module 'virtual:kernels/*' {
  export const wasm: Uint8Array<ArrayBuffer>;
}
