import type { Project } from '#contract/project.js';

type KeptTabs = NonNullable<Project['tabs']>;

/** A document of this session: on the table, or put away beside it. */
export interface Tab {
  readonly key: number;
  readonly name: string;
  /** Its place among the recent documents; undefined for one that was never put away. */
  readonly id: string | undefined;
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
    if (!own) this.all = [...this.all, { key, name, id }];
    this.active = key;
  }

  /** As they are written down. */
  get kept(): KeptTabs {
    return this.all.map(({ key, name, id }) => ({
      name,
      ...(id !== undefined && { id }),
      ...(key === this.active && { open: true as const }),
    }));
  }

  /** As they were written down. */
  restore(kept: KeptTabs): void {
    this.all = kept.map(({ name, id }) => ({ key: this.#keys++, name, id }));
    this.active = this.all[kept.findIndex(({ open }) => open)]?.key;
  }

  /** The one on the table lies among the recent documents now. */
  putAway(id: string): void {
    this.all = this.all.map((tab) => (tab.key === this.active ? { ...tab, id } : tab));
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
