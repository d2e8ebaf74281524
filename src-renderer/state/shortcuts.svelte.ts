import { DEFAULT_BINDINGS, isAction, isReserved, type Action, type Bindings } from '#document/keys.js';
import type { Preferences } from './preferences.svelte.js';

/** What came of giving a chord to an action. */
export type Binding = 'bound' | 'reserved' | { readonly takenBy: Action };

/** Which keys ask for what: the table's own, changed as the user likes. */
export class Shortcuts {
  readonly #preferences: Preferences;
  readonly bindings: Bindings = $derived.by(() => withOwn(own(this.#preferences.current.keys)));
  readonly changed: boolean = $derived.by(() => Object.keys(own(this.#preferences.current.keys)).length > 0);

  constructor(preferences: Preferences) {
    this.#preferences = preferences;
  }

  actionOf(chord: string): Action | undefined {
    return Object.keys(this.bindings)
      .filter(isAction)
      .find((action) => this.bindings[action].includes(chord));
  }

  /** The chord becomes the only one of the action; one that is taken changes nothing. */
  bind(action: Action, chord: string): Binding {
    if (isReserved(chord)) return 'reserved';
    const takenBy = this.actionOf(chord);
    if (takenBy !== undefined && takenBy !== action) return { takenBy };
    this.#keep({ [action]: [chord] });
    return 'bound';
  }

  /** The action gets a chord of another one, which gets what the action had. */
  swap(action: Action, chord: string): void {
    const other = this.actionOf(chord);
    if (other === undefined || other === action) return;
    const rest = this.bindings[other].filter((each) => each !== chord);
    this.#keep({ [action]: [chord], [other]: [...this.bindings[action], ...rest] });
  }

  reset(): void {
    this.#preferences.change({ keys: {} });
  }

  #keep(change: Partial<Record<Action, string[]>>): void {
    this.#preferences.change({ keys: { ...this.#preferences.current.keys, ...change } });
  }
}

/** A chord that the user gave away is no other action's any more, such as one that came with a newer version. */
function withOwn(chosen: Partial<Bindings>): Bindings {
  const given = new Set(Object.values(chosen).flat());
  const rest = Object.entries(DEFAULT_BINDINGS).map(([name, chords]) => [name, chords.filter((each) => !given.has(each))]);
  return { ...(Object.fromEntries(rest) as unknown as Bindings), ...chosen };
}

/** What another version kept for actions that there are no more is let be. */
function own(keys: Readonly<Record<string, readonly string[]>>): Partial<Bindings> {
  return Object.fromEntries(Object.entries(keys).filter(([name]) => isAction(name)));
}
