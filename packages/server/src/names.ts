/**
 * Who has which name. Two names that look the same count as the same (see `nameKey`), and a name is free
 * again in the moment its owner lets go of it: there is no time at which a rename holds both or neither.
 */
import { nameKey } from '@chat/protocol';

/** Names of members, each with one owner. */
export class Names<Owner> {
  readonly #owners = new Map<string, Owner>();

  /** Gives `name` to `owner` unless somebody else has it; answers whether `owner` has it now. */
  tryClaim(name: string, owner: Owner): boolean {
    const key = nameKey(name);
    const current = this.#owners.get(key);
    if (current !== undefined && current !== owner) return false;
    this.#owners.set(key, owner);
    return true;
  }

  /** Exchanges `from` for `to` in one step; answers false, and changes nothing, when `to` is taken. */
  tryRename(from: string, to: string, owner: Owner): boolean {
    if (!this.tryClaim(to, owner)) return false;
    if (nameKey(from) !== nameKey(to)) this.#owners.delete(nameKey(from));
    return true;
  }

  /** Frees `name` if `owner` has it. */
  release(name: string, owner: Owner): void {
    const key = nameKey(name);
    if (this.#owners.get(key) === owner) this.#owners.delete(key);
  }

  /** The owner of a name that looks like `name`. */
  find(name: string): Owner | undefined {
    return this.#owners.get(nameKey(name));
  }
}
