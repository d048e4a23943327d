/**
 * The memory of this browser: name, servers and their rooms, and the look of the page.
 *
 * It is a convenience and never relied upon: storage may be full, forbidden, or hold what another version
 * wrote.
 */

/** How the page looks: as the system does, or otherwise. */
export type Theme = 'system' | 'light' | 'dark';

/** The part of `Storage` that is needed. */
export interface KeyValueStore {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const NAME = 'chat.name';
const THEME = 'chat.theme';
const NOTIFIES = 'chat.notifies';
const ROOMS = 'chat.rooms';
/** Of one tab: whom it was connected as, so that a reload goes on. */
const CONNECTED = 'chat.connected';
const MAX_SERVERS = 20;
const MAX_ROOMS = 50;

/** A user name and the server it was connected to. */
export interface Visit {
  readonly server: string;
  readonly name: string;
}

export class Preferences {
  readonly #lasting: KeyValueStore | undefined;
  readonly #tab: KeyValueStore | undefined;

  /** @param lasting survives the tab; `tab` survives a reload only. Undefined where the browser forbids it */
  constructor(lasting: KeyValueStore | undefined, tab: KeyValueStore | undefined) {
    this.#lasting = lasting;
    this.#tab = tab;
  }

  get name(): string {
    return read(this.#lasting, NAME) ?? '';
  }

  set name(name: string) {
    write(this.#lasting, NAME, name);
  }

  get theme(): Theme {
    const theme = read(this.#lasting, THEME);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  }

  set theme(theme: Theme) {
    write(this.#lasting, THEME, theme);
  }

  /** Whether the user wants notifications; undefined before that was decided. */
  get notifies(): boolean | undefined {
    const decided = read(this.#lasting, NOTIFIES);
    return decided === undefined ? undefined : decided === 'yes';
  }

  set notifies(notifies: boolean) {
    write(this.#lasting, NOTIFIES, notifies ? 'yes' : 'no');
  }

  /** The last visit of this tab, unless it said goodbye. */
  get visit(): Visit | undefined {
    const visit = readJson(this.#tab, CONNECTED) as Partial<Visit> | undefined;
    if (typeof visit?.server !== 'string' || typeof visit.name !== 'string') return undefined;
    return { server: visit.server, name: visit.name };
  }

  set visit(visit: Visit | undefined) {
    write(this.#tab, CONNECTED, visit && JSON.stringify(visit));
  }

  /** The rooms of an earlier visit; `undefined` for a server that was never visited. */
  rooms(server: string): readonly string[] | undefined {
    const rooms = this.#allRooms().get(server);
    if (!Array.isArray(rooms)) return undefined;
    return rooms.filter((room): room is string => typeof room === 'string').slice(0, MAX_ROOMS);
  }

  /** Remembers rooms, and forgets the server that was not visited for longest. */
  setRooms(server: string, rooms: readonly string[]): void {
    const all = this.#allRooms();
    all.delete(server);
    all.set(server, rooms.slice(0, MAX_ROOMS));
    write(this.#lasting, ROOMS, JSON.stringify([...all].slice(-MAX_SERVERS)));
  }

  #allRooms(): Map<unknown, unknown> {
    const stored = readJson(this.#lasting, ROOMS);
    return new Map((Array.isArray(stored) ? stored : []).filter(isPair));
  }
}

function isPair(item: unknown): item is [unknown, unknown] {
  return Array.isArray(item) && item.length === 2;
}

function read(store: KeyValueStore | undefined, key: string): string | undefined {
  try {
    return store?.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function readJson(store: KeyValueStore | undefined, key: string): unknown {
  try {
    return JSON.parse(read(store, key) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function write(store: KeyValueStore | undefined, key: string, value: string | undefined): void {
  try {
    if (value === undefined) store?.removeItem(key);
    else store?.setItem(key, value);
  } catch {
    // Full or forbidden: then nothing is remembered.
  }
}
