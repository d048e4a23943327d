/**
 * Who has which name, and which names look alike.
 *
 * Two names are one when they have a look in common. A name has two, both skeletons of Unicode UTS 39 (what is left
 * when each character is replaced by the one that stands for all that look like it): one of the name as it is written,
 * since `I` looks like `l` and `i` does not, and one without regard to case. The table is that of the package
 * `unhomoglyph`, the whole of Unicode's confusables.txt.
 */
import { userNameProblem as basicProblem, LOBBY, type NameProblem, nameKey, roomKey } from '@chat/protocol';
import unhomoglyph from 'unhomoglyph';

const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
const ASCII = /^[\x20-\x7E]*$/;

/**
 * The looks of a name: the one without regard to case first. Two names with a look in common are one for the server: a
 * directory of people by their looks has no two that could be taken for each other.
 *
 * @example
 * ```ts
 * import assert from 'node:assert';
 * import { looks } from '@chat/server';
 *
 * assert(looks('paypal').some((look) => looks('paypaI').includes(look))); // the last letter is a capital i
 * ```
 */
export function looks(name: string): readonly string[] {
  const folded = look(nameKey(name));
  const written = look(name.normalize('NFKD').replace(IGNORABLE, ''));
  return written === folded ? [folded] : [folded, written];
}

/** Whether two names are one. */
export function looksLike(name: string, other: string): boolean {
  const all = looks(name);
  return looks(other).some((look) => all.includes(look));
}

/** What stands for a character may be a capital (O for 0), which is one with its small letter again. */
function look(text: string): string {
  return skeleton(nameKey(skeleton(text)));
}

/** UTS 39, section 4: decomposed, each character replaced by its prototype, decomposed again. */
function skeleton(text: string): string {
  return unhomoglyph(text.normalize('NFD')).normalize('NFD');
}

/**
 * Checks a user name: the rules of the protocol, and that no line of text can be read as one of the server or of
 * somebody else because of a character that looks like `:` or `*`.
 */
export function userNameProblem(name: string): NameProblem {
  return basicProblem(name) ?? markProblem(name.normalize('NFKC'));
}

// The visarga is drawn like a colon, and is a part of words in these scripts.
const VISARGA = /(?<=[\p{sc=Deva}\p{sc=Gujr}])[\u0903\u0A83]/gu;
// Characters that Unicode calls asterisks, and that confusables.txt does not compare with one.
const ASTERISK =
  /[\u203B\u2042\u2051\u229B\u22C6\u2722-\u2724\u2731-\u2733\u273A-\u273D\u2743\u2749-\u274B\u29C6\uA673\u{1F7AF}-\u{1F7BF}]/u;

function markProblem(form: string): NameProblem {
  if (ASCII.test(form)) return undefined;
  if (unhomoglyph(form.replace(VISARGA, '')).includes(':')) {
    return 'a name must not have anything that looks like a colon';
  }
  const [first = ''] = form;
  if (ASTERISK.test(first) || unhomoglyph(first).startsWith('*')) {
    return 'a name must not begin with anything that looks like an asterisk';
  }
  return undefined;
}

/** Names of members, each with one owner. */
export class Names<Owner> {
  readonly #owners = new Map<string, Owner>();

  /** Gives `name` to `owner` unless somebody else has a look of it; answers whether `owner` has it now. */
  tryClaim(name: string, owner: Owner): boolean {
    const wanted = looks(name);
    if (!this.#areFree(wanted, owner)) return false;
    for (const look of wanted) this.#owners.set(look, owner);
    return true;
  }

  /** Exchanges `from` for `to` in one step; answers false, and changes nothing, when `to` is taken. */
  tryRename(from: string, to: string, owner: Owner): boolean {
    if (!this.#areFree(looks(to), owner)) return false;
    this.release(from, owner);
    return this.tryClaim(to, owner);
  }

  /** Frees `name` if `owner` has it. */
  release(name: string, owner: Owner): void {
    for (const look of looks(name)) if (this.#owners.get(look) === owner) this.#owners.delete(look);
  }

  /** The owner of a name that looks like `name`; one that differs in case alone comes first. */
  find(name: string): Owner | undefined {
    for (const look of looks(name)) {
      const owner = this.#owners.get(look);
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  #areFree(wanted: readonly string[], owner: Owner): boolean {
    return wanted.every((look) => {
      const current = this.#owners.get(look);
      return current === undefined || current === owner;
    });
  }
}

/**
 * Which rooms look like another one. Programs name rooms by ids, and two ids of ASCII may well look alike (`0` and
 * `O`), so only letters of other scripts are compared; the lobby, which people type, cannot be imitated at all.
 */
export class RoomLooks {
  /** How many rooms have each look. */
  readonly #rooms = new Map<string, number>();
  readonly #lobby: ReadonlySet<string> = new Set(looks(LOBBY));

  /** Whether a new room `name` would look like one that there is. */
  isTaken(name: string): boolean {
    if (roomKey(name) === LOBBY) return false;
    const isAscii = ASCII.test(name);
    return looks(name).some((look) => this.#lobby.has(look) || (!isAscii && this.#rooms.has(look)));
  }

  add(name: string): void {
    for (const look of looks(name)) this.#rooms.set(look, (this.#rooms.get(look) ?? 0) + 1);
  }

  remove(name: string): void {
    for (const look of looks(name)) {
      const others = (this.#rooms.get(look) ?? 0) - 1;
      if (others > 0) this.#rooms.set(look, others);
      else this.#rooms.delete(look);
    }
  }
}
