/** A graph between two terminals: edges that may be cut either way, and what ties each node to a side. */
export interface CutGraph {
  readonly count: number;
  /** Both ends of every edge, and what cutting it costs. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly cost: Float32Array;
  /** Per node what it costs outside (above 0) or inside (below 0). */
  readonly pull: Float32Array;
}

/** Capacities below this are used up: sums of floats. */
const NOTHING = 1e-6;
/** Instead of an arc to a node's parent. */
const [TERMINAL, ORPHAN, FREE] = [-1, -2, -3];

/**
 * Which nodes lie inside the cheapest cut, 1 each: two trees that grow from both terminals until they meet, and are mended
 * where a flow breaks them (Boykov & Kolmogorov 2004).
 */
export function cheapestCut(graph: CutGraph): Uint8Array {
  const trees = new Trees(graph);
  for (let bridge = trees.grow(); bridge >= 0; bridge = trees.grow()) {
    trees.augment(bridge);
    trees.adopt();
  }
  return trees.inside();
}

class Trees {
  readonly #count: number;
  /** Arcs of node v lie from `#first[v]` to `#first[v + 1]`; each knows its other end, its opposite and what still goes through. */
  readonly #first: Int32Array;
  readonly #head: Int32Array;
  readonly #back: Int32Array;
  readonly #room: Float64Array;
  /** What still goes between a node and its terminal; below 0: to the sink. */
  readonly #tie: Float64Array;
  /** 1 = source's tree, −1 = sink's. */
  readonly #side: Int8Array;
  /** The arc towards the root. */
  readonly #parent: Int32Array;
  readonly #active: number[] = [];
  readonly #waits: Uint8Array;
  readonly #orphans: number[] = [];
  readonly #grown: number[] = [];

  constructor({ count, from, to, cost, pull }: CutGraph) {
    this.#count = count;
    this.#first = new Int32Array(count + 1);
    for (let e = 0; e < from.length; e++) {
      this.#first[from[e]! + 1]!++;
      this.#first[to[e]! + 1]!++;
    }
    for (let v = 0; v < count; v++) this.#first[v + 1]! += this.#first[v]!;
    const arcs = 2 * from.length;
    [this.#head, this.#back, this.#room] = [new Int32Array(arcs), new Int32Array(arcs), new Float64Array(arcs)];
    const free = this.#first.slice();
    for (let e = 0; e < from.length; e++) {
      const [i, j] = [free[from[e]!]!++, free[to[e]!]!++];
      [this.#head[i], this.#back[i], this.#room[i]] = [to[e]!, j, cost[e]!];
      [this.#head[j], this.#back[j], this.#room[j]] = [from[e]!, i, cost[e]!];
    }
    this.#tie = Float64Array.from(pull);
    this.#side = Int8Array.from(pull, Math.sign);
    this.#parent = Int32Array.from(pull, (value) => (value === 0 ? FREE : TERMINAL));
    this.#waits = new Uint8Array(count);
    for (let v = 0; v < count; v++) if (pull[v] !== 0) this.#wake(v);
    this.#active.reverse();
  }

  #wake(v: number): void {
    if (this.#waits[v]) return;
    this.#waits[v] = 1;
    this.#active.push(v);
  }

  /** What goes along an arc away from the root of a tree of this side. */
  #through(arc: number, side: number): number {
    return side > 0 ? this.#room[arc]! : this.#room[this.#back[arc]!]!;
  }

  /** The arc from the source's tree to the sink's where they meet; −1 = nowhere. */
  grow(): number {
    for (let v = this.#active.at(-1); v !== undefined; v = this.#active.at(-1)) {
      const bridge = this.#side[v] === 0 ? -1 : this.#growFrom(v);
      if (bridge >= 0) return bridge;
      this.#active.pop();
      this.#waits[v] = 0;
    }
    return -1;
  }

  #growFrom(v: number): number {
    const side = this.#side[v]!;
    let bridge = -1;
    for (let arc = this.#first[v]!; arc < this.#first[v + 1]! && bridge < 0; arc++) {
      if (this.#through(arc, side) <= NOTHING) continue;
      const to = this.#head[arc]!;
      if (this.#side[to] === 0) this.#take(to, arc, side);
      else if (this.#side[to] === -side) bridge = side > 0 ? arc : this.#back[arc]!;
    }
    // Below the node that is being grown from, which stays on top until it is done.
    if (this.#grown.length > 0) {
      this.#active.pop();
      for (const to of this.#grown) this.#wake(to);
      this.#active.push(v);
      this.#grown.length = 0;
    }
    return bridge;
  }

  #take(v: number, arc: number, side: number): void {
    this.#side[v] = side;
    this.#parent[v] = this.#back[arc]!;
    this.#grown.push(v);
  }

  /** Sends all that goes from root to root over the bridge. */
  augment(bridge: number): void {
    const [up, down] = [this.#head[this.#back[bridge]!]!, this.#head[bridge]!];
    const most = Math.min(this.#room[bridge]!, this.#leastTo(up, 1), this.#leastTo(down, -1));
    this.#room[bridge]! -= most;
    this.#room[this.#back[bridge]!]! += most;
    this.#sendTo(up, 1, most);
    this.#sendTo(down, -1, most);
  }

  #leastTo(start: number, side: number): number {
    let least = Infinity;
    let v = start;
    for (let arc = this.#parent[v]!; arc >= 0; arc = this.#parent[v]!) {
      least = Math.min(least, this.#through(this.#back[arc]!, side));
      v = this.#head[arc]!;
    }
    return Math.min(least, side * this.#tie[v]!);
  }

  #sendTo(start: number, side: number, most: number): void {
    let v = start;
    for (let arc = this.#parent[v]!; arc >= 0; arc = this.#parent[v]!) {
      const towards = side > 0 ? this.#back[arc]! : arc;
      this.#room[towards]! -= most;
      this.#room[this.#back[towards]!]! += most;
      if (this.#room[towards]! <= NOTHING) this.#orphan(v);
      v = this.#head[arc]!;
    }
    this.#tie[v]! -= side * most;
    if (side * this.#tie[v]! <= NOTHING) this.#orphan(v);
  }

  #orphan(v: number): void {
    this.#parent[v] = ORPHAN;
    this.#orphans.push(v);
  }

  /** Orphans find a parent in their tree or leave it, and their children with them. */
  adopt(): void {
    for (let v = this.#orphans.pop(); v !== undefined; v = this.#orphans.pop()) {
      if (!this.#findParent(v)) this.#letGo(v);
    }
  }

  #findParent(v: number): boolean {
    const side = this.#side[v]!;
    for (let arc = this.#first[v]!; arc < this.#first[v + 1]!; arc++) {
      const to = this.#head[arc]!;
      if (this.#side[to] !== side || this.#through(this.#back[arc]!, side) <= NOTHING || !this.#hangsOnRoot(to)) continue;
      this.#parent[v] = arc;
      return true;
    }
    return false;
  }

  #hangsOnRoot(start: number): boolean {
    let v = start;
    while (this.#parent[v]! >= 0) v = this.#head[this.#parent[v]!]!;
    return this.#parent[v] === TERMINAL;
  }

  #letGo(v: number): void {
    const side = this.#side[v]!;
    for (let arc = this.#first[v]!; arc < this.#first[v + 1]!; arc++) {
      const to = this.#head[arc]!;
      if (this.#side[to] !== side) continue;
      if (this.#through(this.#back[arc]!, side) > NOTHING) this.#wake(to);
      if (this.#parent[to]! >= 0 && this.#head[this.#parent[to]!] === v) this.#orphan(to);
    }
    this.#side[v] = 0;
    this.#parent[v] = FREE;
  }

  inside(): Uint8Array {
    return Uint8Array.from({ length: this.#count }, (_, v) => (this.#side[v]! > 0 ? 1 : 0));
  }
}
