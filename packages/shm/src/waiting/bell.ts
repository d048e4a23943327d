/**
 * The bell of a thread: wakes those who sleep in its event loop, through a Unix socket; costs nothing while nobody sleeps.
 *
 * Shared memory cannot wake anybody from JavaScript. `wait-point.ts` says in shared memory who sleeps; here is how one that sleeps is rung
 * for. There is one bell for all handles of a thread (per folder and permissions of the segments), and one connection per pair of
 * threads: a ring is four bytes, the *key* of the handle that is to look, so a thousand handles that sleep cost one descriptor and one timer.
 *
 * Who connects says the number of its own bell first, and is called back; and a ring goes over the connection that the sleeper made, where
 * there is one. For Node lets only the connecting end read into a buffer of its own (`onread`), past the machinery of streams; after a
 * silence that machinery costs as much as everything else this package does to wake somebody. While a ring is not sent yet, no
 * other is added: one ring for everybody follows it. So a sleeper that does not read its socket fills no memory.
 *
 * What can go wrong is a publisher that is killed between saying "I ring for you" and ringing. Therefore sleepers also look when a
 * connection closes, as all of a dead process do, and by a timer: {@link FIRST_LOOK_MS} after they fell asleep, then less and less often.
 * Nothing here keeps the process alive unless asked.
 */
import { chmodSync, chownSync, existsSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { BellFolder, bellName, bellsIn, NoBell, removeBell } from './bell-file.js';

/** How long after it fell asleep a sleeper looks by itself; the time doubles with each look, up to {@link LAST_LOOK_MS}. */
export const FIRST_LOOK_MS = 100;
export const LAST_LOOK_MS = 1000;
/** The timer ticks each {@link FIRST_LOOK_MS}: all times are counted in ticks, since a clock at each sleep costs more than the sleep's entry. */
const LAST_LOOK_TICKS: number = LAST_LOOK_MS / FIRST_LOOK_MS;
/** The tick that is under way does not count. */
const FIRST_LOOK_TICKS = 2;
/** The same where there is no bell: then looking is all there is. */
export const BLIND_LOOK_MS = 20;
/** How often the owner looks whether the file of its bell is still there. */
const FILE_LOOK_TICKS: number = LAST_LOOK_TICKS;
const KEY_BYTES = 4;
/** The key that means everybody. */
const EVERYBODY = 0;
/** Files of others that a new bell asks whether somebody listens. */
const MOST_PROBES = 16;

/** One handle that can be woken by a bell. */
export interface BellMember {
  /** Somebody has published something, or made room, for this handle. */
  rung(): void;
  /** Something may have happened unheard: it is time, or the thread with the bell `closedBell` is gone. */
  look(closedBell: number | undefined): void;
}

interface Membership {
  readonly member: BellMember;
  /** Ticks between two looks, and until the next one. */
  stepTicks: number;
  leftTicks: number;
}

/** What a bell is for: handles on segments of one folder that the same users may open. */
export interface BellPlace {
  readonly directory: string;
  /** Permissions of the segment, and so of the socket. */
  readonly mode: number;
  readonly gid: number;
}

const bells = new Map<string, Bell>();

/** One bell. Made by {@link Bell.for}, and taken down when its last member leaves. */
export class Bell {
  /** Its number, or a {@link NoBell} that says why it has no socket. */
  #id: number;
  readonly #registryKey: string;
  readonly #place: BellPlace;
  readonly #folder: BellFolder;
  readonly #members = new Map<number, Membership>();
  readonly #incoming = new Set<Socket>();
  /** Of the incoming ones, those that said whose they are: by number of the bell. */
  readonly #introduced = new Map<number, Socket>();
  readonly #outgoing = new Map<number, Socket>();
  /** Connections on which a ring for everybody waits behind one that has not gone out. */
  readonly #backlog = new WeakSet<Socket>();
  readonly #timer: NodeJS.Timeout;
  #server: Server | undefined;
  #lastKey = 0;
  #keepers = 0;
  /** Until the next look at the file. */
  #fileTicks = FILE_LOOK_TICKS;
  #closed = false;

  private constructor(registryKey: string, place: BellPlace) {
    this.#registryKey = registryKey;
    this.#place = place;
    this.#folder = new BellFolder(place.directory);
    this.#id = this.#folder.socketPath(1) === undefined ? NoBell.PathTooLong : randomId();
    if (this.#id > 0) {
      this.#listen();
      this.#probeOthers();
    }
    this.#timer = setInterval(() => this.#tick(), this.#id > 0 ? FIRST_LOOK_MS : BLIND_LOOK_MS);
    this.#timer.unref();
  }

  /** The bell of this thread for segments at `place`. */
  static for(place: BellPlace): Bell {
    const registryKey = `${place.mode}:${place.gid}:${place.directory}`;
    const bell = bells.get(registryKey) ?? new Bell(registryKey, place);
    bells.set(registryKey, bell);
    return bell;
  }

  /** Its number, as it is to stand in the slots of its members; not positive, a {@link NoBell}, when there is no socket. */
  get id(): number {
    return this.#id;
  }

  /** Adds a member, and returns the key under which it is rung for. */
  join(member: BellMember): number {
    this.#lastKey = (this.#lastKey % (2 ** 31 - 2)) + 1;
    while (this.#members.has(this.#lastKey)) this.#lastKey++;
    this.#members.set(this.#lastKey, { member, stepTicks: LAST_LOOK_TICKS, leftTicks: 1 });
    return this.#lastKey;
  }

  /** Lets a member go. The last one takes the bell down; those connected to it see their connection close. */
  leave(key: number): void {
    if (this.#members.delete(key) && this.#members.size === 0) this.#close();
  }

  /** The member `key` has fallen asleep: it is to look soon, and then less and less often. One that falls asleep all the time looks too. */
  slept(key: number): void {
    const membership = this.#members.get(key);
    if (membership === undefined) return;
    membership.stepTicks = 1;
    membership.leftTicks = Math.min(membership.leftTicks, FIRST_LOOK_TICKS);
  }

  /** Wakes handle `key` of the thread whose bell has this number. Nothing happens, now or later, if that thread is gone. */
  ring(id: number, key: number): void {
    if (this.#closed || id <= 0) return;
    if (id === this.#id) {
      setImmediate(() => this.#rung(key));
      return;
    }
    const socket = this.#introduced.get(id) ?? this.#outgoing.get(id) ?? this.connect(id);
    if (socket === undefined) return;
    if (socket.writableLength <= KEY_BYTES) {
      socket.write(keyBytes(key));
    } else if (!this.#backlog.has(socket)) {
      this.#backlog.add(socket);
      socket.write(keyBytes(EVERYBODY), () => this.#backlog.delete(socket));
    }
  }

  /** Connects to the bell of this number, so that we learn of its end and it of ours. Idempotent. */
  connect(id: number): Socket | undefined {
    if (this.#closed || id <= 0 || id === this.#id) return undefined;
    const known = this.#outgoing.get(id);
    if (known !== undefined) return known;
    const path = this.#folder.socketPath(id);
    if (path === undefined) return undefined;
    const reader = new KeyReader((key) => this.#rung(key));
    const buffer = new Uint8Array(1024);
    const onread = {
      buffer,
      callback: (bytes: number): boolean => {
        reader.read(buffer, bytes);
        return true;
      },
    };
    const socket = connect({ path, onread });
    this.#outgoing.set(id, socket);
    socket.unref();
    // What is said first: whose connection this is, so that rings for us may come over it.
    socket.write(keyBytes(Math.max(this.#id, 0)));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The proof that nobody listens: the thread is gone, and its file with it. EPIPE and the like: 'close' follows.
      if (error.code === 'ECONNREFUSED') removeBell(this.#place.directory, id);
    });
    socket.on('close', () => {
      if (this.#outgoing.get(id) === socket) this.#outgoing.delete(id);
      this.#lookAll(id);
    });
    // Otherwise the end of the connection would not be noticed.
    socket.resume();
    return socket;
  }

  /** Whether the end of the thread with this bell closes a connection of ours. */
  isConnected(id: number): boolean {
    return this.#outgoing.get(id)?.readyState === 'open';
  }

  /** Asks whether somebody listens at the bell of this number; the file goes if nobody does. */
  probe(id: number): void {
    const path = this.#folder.socketPath(id);
    if (id <= 0 || id === this.#id || path === undefined || this.#closed) return;
    const probe = connect({ path });
    probe.unref();
    probe.on('connect', () => probe.destroy());
    probe.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') removeBell(this.#place.directory, id);
    });
  }

  /** Keeps the process alive until {@link unref} was called as often. */
  ref(): void {
    if (++this.#keepers === 1) this.#timer.ref();
  }

  unref(): void {
    if (--this.#keepers === 0) this.#timer.unref();
  }

  #close(): void {
    this.#closed = true;
    bells.delete(this.#registryKey);
    clearInterval(this.#timer);
    this.#server?.close();
    if (this.#id > 0) removeBell(this.#place.directory, this.#id);
    for (const socket of this.#incoming) socket.destroy();
    // What was written but not yet taken by the kernel is still sent.
    for (const socket of this.#outgoing.values()) socket.destroySoon();
    this.#folder.close();
  }

  #listen(): void {
    const path = this.#folder.socketPath(this.#id);
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    server.on('error', (error: NodeJS.ErrnoException) => this.#listenFailed(server, error));
    // Exclusive: in a worker of node:cluster the socket is its own, not one of the primary.
    server.listen({ path, exclusive: true });
    server.unref();
    try {
      // Who may open the segments may ring.
      const file = join(this.#place.directory, bellName(this.#id));
      if (statSync(file).gid !== this.#place.gid) chownSync(file, -1, this.#place.gid);
      chmodSync(file, this.#place.mode & 0o666);
    } catch {
      // It could not be made: see #listenFailed. Or the group is not ours: then its members are not rung by.
    }
    this.#fileTicks = FILE_LOOK_TICKS;
  }

  #listenFailed(server: Server, error: NodeJS.ErrnoException): void {
    if (this.#closed || server !== this.#server) return;
    const refused = ['EACCES', 'EPERM', 'EROFS'].includes(error.code ?? '');
    this.#id = refused ? NoBell.Refused : NoBell.Failed;
    for (const { member } of this.#members.values()) member.look(undefined);
  }

  /** Asks a few of the bells in the folder whether somebody listens. */
  #probeOthers(): void {
    for (const id of bellsIn(this.#place.directory).slice(0, MOST_PROBES)) this.probe(id);
  }

  #accept(socket: Socket): void {
    let from: number | undefined;
    const reader = new KeyReader((key) => {
      if (from !== undefined) {
        this.#rung(key);
        return;
      }
      from = key;
      if (key <= 0 || this.#closed) return;
      this.#introduced.set(key, socket);
      this.connect(key);
    });
    this.#incoming.add(socket);
    socket.unref();
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => reader.read(data));
    socket.on('close', () => {
      this.#incoming.delete(socket);
      if (from !== undefined && this.#introduced.get(from) === socket) this.#introduced.delete(from);
      this.#lookAll(from);
    });
    this.#lookAll(undefined);
  }

  #rung(key: number): void {
    if (this.#closed) return;
    if (key === EVERYBODY) this.#lookAll(undefined);
    else this.#members.get(key)?.member.rung();
  }

  #lookAll(closedBell: number | undefined): void {
    for (const { member } of [...this.#members.values()]) if (!this.#closed) member.look(closedBell);
  }

  #tick(): void {
    const most = this.#id > 0 ? LAST_LOOK_TICKS : 1;
    for (const membership of this.#members.values()) {
      if (--membership.leftTicks > 0) continue;
      membership.stepTicks = Math.min(membership.stepTicks * 2, most);
      membership.leftTicks = membership.stepTicks;
      membership.member.look(undefined);
    }
    if (this.#closed || this.#id <= 0 || --this.#fileTicks > 0) return;
    this.#fileTicks = FILE_LOOK_TICKS;
    const file = join(this.#place.directory, bellName(this.#id));
    if (existsSync(file)) return;
    // Somebody tidied up too much. Connections that exist go on; new ones find the new socket.
    this.#server?.close();
    this.#listen();
  }
}

/** Cuts what comes over a connection into keys, however it was cut on the way. Allocates nothing: it is half of what a ring costs. */
class KeyReader {
  readonly #onKey: (key: number) => void;
  /** The bytes of the next key that are there already. */
  #key = 0;
  #have = 0;

  constructor(onKey: (key: number) => void) {
    this.#onKey = onKey;
  }

  read(bytes: Uint8Array, length: number = bytes.length): void {
    for (let at = 0; at < length; at++) {
      this.#key |= (bytes[at] as number) << (8 * this.#have++);
      if (this.#have < KEY_BYTES) continue;
      const key = this.#key;
      this.#key = 0;
      this.#have = 0;
      this.#onKey(key);
    }
  }
}

/** A `Buffer`, since a socket makes one of every other array. */
function keyBytes(key: number): Buffer {
  const bytes = Buffer.allocUnsafe(KEY_BYTES);
  bytes.writeInt32LE(key);
  return bytes;
}

function randomId(): number {
  return 1 + Math.floor(Math.random() * (2 ** 31 - 2));
}
