import type { Project } from '#contract/project.js';

type KeptTabs = NonNullable<Project['tabs']>;

/** A document of this session: on the table, or put away beside it. */
export interface Tab {
  readonly key: number;
  readonly name: string;
  /** Its place among the recent documents; undefined for one that was never put away. */
  readonly id: string | undefined;
  /** How many runs wait for it; the queue knows those of the one on the table. */
  readonly waiting: number;
}

/** Documents that are open side by side, one of them on the table. */
export class Tabs {
  all = $state.raw<readonly Tab[]>([]);
  /** The key of the one on the table. */
  active = $state<number>();
  #keys = 0;

  /** It lies on the table: in its own tab where it has one, else in a new one behind the last that lay there. */
  opened(name: string, id?: string): void {
    const own = id === undefined ? undefined : this.all.find((tab) => tab.id === id);
    const key = own?.key ?? this.#keys++;
    if (own) this.#change(key, { waiting: 0 });
    else this.all = [...this.all, { key, name, id, waiting: 0 }];
    this.active = key;
  }

  /** As they are written down. */
  get kept(): KeptTabs {
    return this.all.map(({ key, name, id, waiting }) => ({
      name,
      ...(id !== undefined && { id }),
      ...(waiting > 0 && { waiting }),
      ...(key === this.active && { open: true as const }),
    }));
  }

  /** As they were written down. */
  restore(kept: KeptTabs): void {
    this.all = kept.map(({ name, id, waiting = 0 }) => ({ key: this.#keys++, name, id, waiting }));
    this.active = this.all[kept.findIndex(({ open }) => open)]?.key;
  }

  /** The one on the table lies among the recent documents now. */
  putAway(id: string, waiting: number): void {
    if (this.active !== undefined) this.#change(this.active, { id, waiting });
  }

  #change(key: number, change: Partial<Tab>): void {
    this.all = this.all.map((tab) => (tab.key === key ? { ...tab, ...change } : tab));
  }

  /** Without a tab. Gives the one beside it, which comes to the table where this one lay there. */
  close(key: number): Tab | undefined {
    const index = this.all.findIndex((tab) => tab.key === key);
    this.all = this.all.filter((tab) => tab.key !== key);
    if (key !== this.active) return undefined;
    this.active = undefined;
    return this.all[Math.min(index, this.all.length - 1)];
  }
}
