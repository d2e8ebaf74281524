export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, (...args: number[]) => number>>;
}

/** The types that compile without a browser's library know nothing of WebAssembly. */
export const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: { env: { memory: WasmMemory } }) => WasmInstance;
    Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory;
  };
};

export const PAGE_BYTES = 65536;
/** As the kernels are compiled. */
export const MOST_PAGES = 65536;
