/**
 * What was decided about the whole server and about each room, beside who is here: roles, mutes, bans, topic and the like.
 * A part of the chat's state: it follows from the log alone.
 *
 * A *scope* is the key of a room, or empty for the whole server; what a user has decided about its own direct messages has
 * a scope of its own, that no room can have. A *person* is an account, or, where there is none, a
 * session: what is given to a session ends with it. Mutes and bans hold for an account, a session and a look of a name,
 * so that neither another name nor another session lifts them.
 */
import type { Role, RoomSettings, Sanction } from '@chat/protocol/frames';
import { looks } from '../../names/names.js';
import { rankOf } from './permissions.js';

/** So many mutes and bans are kept for each scope; of too many, the oldest go. */
const MAX_SANCTIONS = 1000;
/** So many rooms are kept that nobody is in; of too many, those go first that were decided about first. */
const MAX_KEPT_ROOMS = 10_000;

/** Who somebody is, for rules. */
export interface Person {
  readonly memberId: number;
  readonly name: string;
  readonly account: string | undefined;
}

/** A role that was given. */
export interface GivenRole {
  /** Of the one who has it, when it was given. */
  readonly name: string;
  readonly role: Role;
}

/** A mute or a ban, or a user who is blocked by another one, and whom it holds for, see `keysOf`. */
export interface KeyedSanction extends Omit<Sanction, 'kind'> {
  readonly kind: Sanction['kind'] | 'block';
  readonly keys: readonly string[];
}

/** How a room is, and whether that is kept while nobody is in it. */
export type KeptSettings = RoomSettings & { readonly kept?: true };

/** One thing that was decided, as it is written down. The key is a person, or the position of a mute or ban. */
export type Rule =
  | { readonly scope: string; readonly what: 'settings'; readonly key: ''; readonly value: KeptSettings }
  | { readonly scope: string; readonly what: 'role'; readonly key: string; readonly value: GivenRole }
  | {
      readonly scope: string;
      readonly what: 'sanction';
      readonly key: string;
      readonly value: KeyedSanction;
    };

/** Names a rule. */
export type RuleName = Pick<Rule, 'scope' | 'what' | 'key'>;

interface Scope {
  settings: KeptSettings;
  readonly roles: Map<string, GivenRole>;
  /** By position. */
  readonly sanctions: Map<string, KeyedSanction>;
}

const NO_SETTINGS: KeptSettings = {};

/** So many users somebody may block. */
export const MAX_BLOCKS = 200;

/** The scope of what a person has decided about its own direct messages. */
export function blockScope(person: string): string {
  return `\u0000${person}`;
}

/** Names the person of a session. */
export function personOf({ memberId, account }: Person): string {
  return account === undefined ? `member:${memberId}` : accountPerson(account);
}

/** Names the person of an account. */
export function accountPerson(account: string): string {
  return `account:${account}`;
}

/** Whom a mute or a ban of that name holds for. */
export function keysOf(name: string, person?: string): string[] {
  return [...(person === undefined ? [] : [person]), ...looks(name).map((look) => `look:${look}`)];
}

export class Rules {
  readonly #scopes: Map<string, Scope> = new Map();
  /** Where each person has a role. */
  readonly #rolesOf: Map<string, Set<string>> = new Map();
  /** Told of each rule that is there now, or is another, or is not there any more. */
  onChanged: ((rule: RuleName) => void) | undefined;

  /** Whether nothing at all was decided. */
  get isEmpty(): boolean {
    return this.#scopes.size === 0;
  }

  /** All of them, to be written down. */
  *[Symbol.iterator](): Generator<Rule> {
    for (const scope of this.#scopes.keys()) yield* this.of(scope);
  }

  /** Those of one scope. */
  *of(scope: string): Generator<Rule> {
    const rules = this.#scopes.get(scope);
    if (!rules) return;
    if (Object.keys(rules.settings).length > 0)
      yield { scope, what: 'settings', key: '', value: rules.settings };
    for (const [key, value] of rules.roles) yield { scope, what: 'role', key, value };
    for (const [key, value] of rules.sanctions) yield { scope, what: 'sanction', key, value };
  }

  /** The rule of that name, as it is now. */
  find({ scope, what, key }: RuleName): Rule | undefined {
    const rules = this.#scopes.get(scope);
    if (!rules) return undefined;
    if (what === 'settings') {
      const value = rules.settings;
      return Object.keys(value).length === 0 ? undefined : { scope, what, key: '', value };
    }
    if (what === 'role') {
      const value = rules.roles.get(key);
      return value && { scope, what, key, value };
    }
    const value = rules.sanctions.get(key);
    return value && { scope, what, key, value };
  }

  /** Takes one that was written down. */
  load(rule: Rule): void {
    if (rule.what === 'settings') this.set(rule.scope, rule.value);
    else if (rule.what === 'role') this.give(rule.scope, rule.key, rule.value);
    else {
      this.#scope(rule.scope).sanctions.set(rule.key, rule.value);
      this.#changed(rule);
    }
  }

  settings(scope: string): KeptSettings {
    return this.#scopes.get(scope)?.settings ?? NO_SETTINGS;
  }

  /** Puts others in the place of all settings of a scope. */
  set(scope: string, settings: KeptSettings): void {
    this.#scope(scope).settings = settings;
    this.#changed({ scope, what: 'settings', key: '' });
    this.#tidy(scope);
  }

  /** The role that was given to a person there, and nowhere else. */
  given(scope: string, person: string): Role | undefined {
    return this.#scopes.get(scope)?.roles.get(person)?.role;
  }

  /** Whether somebody has a role there. */
  hasRoles(scope: string): boolean {
    return this.roleCount(scope) > 0;
  }

  /** How many have a role there. */
  roleCount(scope: string): number {
    return this.#scopes.get(scope)?.roles.size ?? 0;
  }

  /** The role that counts for somebody there: the greater one of the whole server and of the room. */
  roleOf(scope: string, person: string): Role {
    const least: Role = person.startsWith('account:') ? 'member' : 'guest';
    if (this.isEmpty) return least;
    return [this.given('', person), this.given(scope, person)].reduce<Role>(
      (most, role) => (role !== undefined && rankOf(role) > rankOf(most) ? role : most),
      least,
    );
  }

  /** Gives a role, or takes it away. */
  give(scope: string, person: string, role: GivenRole | undefined): void {
    const { roles } = this.#scope(scope);
    const scopes = this.#rolesOf.get(person) ?? new Set();
    if (role) {
      roles.set(person, role);
      this.#rolesOf.set(person, scopes.add(scope));
    } else {
      roles.delete(person);
      scopes.delete(scope);
      if (scopes.size === 0) this.#rolesOf.delete(person);
    }
    this.#changed({ scope, what: 'role', key: person });
    this.#tidy(scope);
  }

  /** Somebody without an account is gone, and its roles with it, and those whom it has blocked. */
  ended(memberId: number): void {
    const person = `member:${memberId}`;
    this.#drop(blockScope(person));
    for (const scope of [...(this.#rolesOf.get(person) ?? [])]) this.give(scope, person, undefined);
  }

  /** Mutes or bans somebody, in the place of the one that holds for the same. */
  impose(scope: string, position: number, sanction: KeyedSanction): void {
    this.pardon(scope, sanction.kind, sanction.keys);
    const { sanctions } = this.#scope(scope);
    sanctions.set(String(position), sanction);
    this.#changed({ scope, what: 'sanction', key: String(position) });
    for (const [key, { until = Number.POSITIVE_INFINITY }] of sanctions) {
      if (until > sanction.at && sanctions.size <= MAX_SANCTIONS) continue;
      sanctions.delete(key);
      this.#changed({ scope, what: 'sanction', key });
    }
    this.#tidy(scope);
  }

  /** Whether something of that kind holds there for one of these keys. */
  has(scope: string, kind: KeyedSanction['kind'], keys: readonly string[]): boolean {
    for (const sanction of this.#scopes.get(scope)?.sanctions.values() ?? [])
      if (sanction.kind === kind && sanction.keys.some((one) => keys.includes(one))) return true;
    return false;
  }

  /** Whether a person takes no direct messages from somebody. */
  blocks(person: string, from: Person, now: number): boolean {
    return !this.isEmpty && this.sanctionOf(blockScope(person), 'block', from, now) !== undefined;
  }

  /** Ends what holds for one of these keys. Answers whether there was something. */
  pardon(scope: string, kind: KeyedSanction['kind'], keys: readonly string[]): boolean {
    let wasThere = false;
    for (const [key, sanction] of this.#scopes.get(scope)?.sanctions ?? []) {
      if (sanction.kind !== kind || !sanction.keys.some((one) => keys.includes(one))) continue;
      this.#scopes.get(scope)?.sanctions.delete(key);
      this.#changed({ scope, what: 'sanction', key });
      wasThere = true;
    }
    this.#tidy(scope);
    return wasThere;
  }

  /** What holds for somebody there at that time, by the clock of the log. */
  sanctionOf(
    scope: string,
    kind: KeyedSanction['kind'],
    person: Person,
    now: number,
  ): KeyedSanction | undefined {
    const sanctions = this.#scopes.get(scope)?.sanctions;
    if (!sanctions || sanctions.size === 0) return undefined;
    const keys = new Set([...keysOf(person.name, personOf(person)), `member:${person.memberId}`]);
    for (const sanction of sanctions.values()) {
      const { until = Number.POSITIVE_INFINITY } = sanction;
      if (sanction.kind === kind && until > now && sanction.keys.some((key) => keys.has(key)))
        return sanction;
    }
    return undefined;
  }

  /** The mute that takes somebody the word there: one of the room, or of the server, which is of direct messages as well. */
  muteOf(person: Person, room: string | undefined, now: number): KeyedSanction | undefined {
    if (this.isEmpty) return undefined;
    const everywhere = this.sanctionOf('', 'mute', person, now);
    return everywhere ?? (room === undefined ? undefined : this.sanctionOf(room, 'mute', person, now));
  }

  /** Mutes and bans of a scope that are not over, the oldest first, by position. */
  *sanctions(
    scope: string,
    now: number,
  ): Generator<readonly [position: number, Omit<KeyedSanction, 'keys'>]> {
    for (const [position, { keys: _keys, ...sanction }] of this.#scopes.get(scope)?.sanctions ?? []) {
      if ((sanction.until ?? Number.POSITIVE_INFINITY) > now) yield [Number(position), sanction];
    }
  }

  /** A room is forgotten: what was decided about it goes with it, unless it belongs to somebody who may come back. */
  forgotten(scope: string): void {
    if (this.#isKept(scope)) {
      const kept = [...this.#scopes.keys()].filter((key) => key !== '' && this.#isKept(key));
      if (kept.length > MAX_KEPT_ROOMS) this.#drop(kept[0]!);
    } else this.#drop(scope);
  }

  #isKept(scope: string): boolean {
    const rules = this.#scopes.get(scope);
    if (!rules) return false;
    return (
      rules.settings.kept === true || [...rules.roles.keys()].some((person) => person.startsWith('account:'))
    );
  }

  #drop(scope: string): void {
    for (const { what, key } of [...this.of(scope)]) {
      if (what === 'role') this.give(scope, key, undefined);
      else {
        if (what === 'sanction') this.#scopes.get(scope)?.sanctions.delete(key);
        this.#changed({ scope, what, key });
      }
    }
    this.#scopes.delete(scope);
  }

  #scope(scope: string): Scope {
    let rules = this.#scopes.get(scope);
    if (!rules) {
      rules = { settings: NO_SETTINGS, roles: new Map(), sanctions: new Map() };
      this.#scopes.set(scope, rules);
    }
    return rules;
  }

  /** A scope of which nothing is left is no scope. */
  #tidy(scope: string): void {
    const rules = this.#scopes.get(scope);
    if (!rules || rules.roles.size > 0 || rules.sanctions.size > 0) return;
    if (Object.keys(rules.settings).length === 0) this.#scopes.delete(scope);
  }

  #changed({ scope, what, key }: RuleName): void {
    this.onChanged?.({ scope, what, key });
  }
}
