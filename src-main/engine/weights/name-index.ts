/** Dotted names, searchable by module without looking at all of them: a hostile file may hold 10⁵. */
export class NameIndex {
  readonly #sorted: readonly string[];
  readonly #position: ReadonlyMap<string, number>;

  constructor(names: Iterable<string>) {
    const inOrder = [...names];
    this.#position = new Map(inOrder.map((name, index) => [name, index]));
    this.#sorted = inOrder.sort();
  }

  /** Whether any name begins with `prefix`. */
  hasPrefix(prefix: string): boolean {
    return this.#sorted[this.#lowerBound(prefix)]?.startsWith(prefix) ?? false;
  }

  /** The names that begin with `prefix`, in their first order. */
  withPrefix(prefix: string): string[] {
    const start = this.#lowerBound(prefix);
    let end = start;
    while (this.#sorted[end]?.startsWith(prefix)) end += 1;
    return this.#sorted.slice(start, end).sort((a, b) => this.#order(a) - this.#order(b));
  }

  #order(name: string): number {
    return this.#position.get(name) ?? 0;
  }

  /** Index of the first name that is not below `prefix`, by UTF-16 code units as `sort` compares. */
  #lowerBound(prefix: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? '') < prefix) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
