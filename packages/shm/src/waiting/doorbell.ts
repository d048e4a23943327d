/**
 * Wakes readers that sleep in the event loop, through a Unix socket; costs nothing while nobody sleeps.
 *
 * Shared memory cannot wake anybody from JavaScript. So who is about to sleep says so in a word of shared memory, looks once
 * more whether there is nothing to do, and sleeps; who has published looks at that word, and if it is set, clears it and rings:
 *
 *     sleeper                           publisher
 *     store WAITS = 1                   store TAIL
 *     load TAIL: still nothing?         load WAITS: set?
 *     sleep                             swap 1 for 0, ring
 *
 * All four are sequentially consistent, so at least one of the two sees the other (Dekker). The swap makes it one ring per sleep,
 * however many publish: a burst of a million messages is one byte on the socket. The word belongs to one sleeper, so a
 * sleeper that is killed leaves no count behind that is wrong for ever.
 *
 * What can go wrong is a publisher that is killed after the swap and before the ring. Therefore sleepers also look when a connection
 * closes, as all of a dead process do, and once per {@link SAFETY_INTERVAL_MS} in any case.
 *
 * Who connects says who it is, and is called back; and a ring goes over the connection that the sleeper made, where there is one. For
 * Node lets only the connecting end read into a buffer of its own (`onread`), past the machinery of streams; after a silence
 * that machinery costs as much as everything else this package does to wake somebody. A ring that is not sent yet serves for
 * those after it, so a sleeper that does not read its socket fills no memory.
 *
 * The socket is a file beside the segment, named after the one life of the one participant whose bell it is. A file whose owner is
 * proven dead is removed by whoever comes next; one whose owner may live, never. Where a socket cannot be made (path too long, another
 * network file system) the safety look remains. Nothing here keeps the process alive unless asked.
 */
import { chmodSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { compareExchange, load, store } from '../platform/atomics.js';
import {
  currentIdentity,
  formatIdentity,
  type Identity,
  livenessOf,
  parseIdentity,
} from '../platform/liveness.js';
import { filesOf } from '../segment/path.js';
import type { Segment } from '../segment/segment.js';

/** How often a sleeper looks without having been woken. */
export const SAFETY_INTERVAL_MS = 100;

/** Longest path of a Unix socket: 107 bytes on Linux, 103 on macOS, where longer ones are cut off silently. */
const MAX_PATH_BYTES = 103;
const PREFIX = 'shm-';
const SUFFIX = '.bell';
const RING: Uint8Array = Uint8Array.of(1);
/** What is said first on a connection: the token of who made it, an int32, little-endian. */
const INTRODUCTION_BYTES = 4;

/** What a {@link Doorbell} reports. Both may be called at any time, and any number of times without cause. */
export interface DoorbellOptions {
  /** Somebody has published something, or made room. */
  readonly onRing: () => void;
  /**
   * Something else may have happened, to be looked for: somebody has connected, it is time for the safety look, or, with `closed`,
   * a connection has ended.
   */
  readonly onLook: (closed: boolean) => void;
}

/** The bell of one participant, and its connections to those of others. */
export class Doorbell {
  readonly #segment: Segment;
  readonly #identity: Identity;
  readonly #path: string;
  readonly #onRing: () => void;
  readonly #onLook: (closed: boolean) => void;
  readonly #server: Server;
  readonly #incoming = new Set<Socket>();
  /** Of the incoming ones, those that said who they are: by token. */
  readonly #introduced = new Map<number, Socket>();
  readonly #outgoing = new Map<number, Socket>();
  readonly #timer: NodeJS.Timeout;
  #replaced = false;
  #keepAlive = false;
  #closed = false;

  constructor(segment: Segment, { onRing, onLook }: DoorbellOptions) {
    this.#segment = segment;
    this.#onRing = onRing;
    this.#onLook = onLook;
    this.#identity = currentIdentity();
    this.#path = bellPath(segment, segment.participant.token, this.#identity);
    removeDeadBells(segment.path, this.#identity);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on('error', (error) => this.#listenFailed(error));
    this.#listen();
    this.#timer = setInterval(() => this.#look(false), SAFETY_INTERVAL_MS);
    this.#timer.unref();
  }

  /** The file of the socket; it may not exist. */
  get path(): string {
    return this.#path;
  }

  /** Wakes the participant that `token` names. Nothing happens, now or later, if it is gone. */
  ring(token: number): void {
    if (this.#closed) return;
    const socket = this.#introduced.get(token) ?? this.#outgoing.get(token);
    // A new connection wakes by itself, and does so before this call returns.
    if (socket === undefined) this.connect(token);
    // What waits to be sent will wake it later than now, and so does for this ring too: a sleeper that does not read costs one byte.
    else if (socket.writableLength === 0) socket.write(RING);
  }

  /** Connects to the bell of the participant that `token` names, so that it learns of our end. Idempotent. */
  connect(token: number): void {
    if (this.#closed || this.#outgoing.has(token)) return;
    const identity = this.#segment.participants.describe(token)?.identity;
    if (identity === undefined) return;
    const path = bellPath(this.#segment, token, identity);
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) return;
    const onRead = (): boolean => {
      this.#rung();
      return true;
    };
    // The size does not matter: a burst of rings is as good as one.
    const socket = connect({ path, onread: { buffer: new Uint8Array(64), callback: onRead } });
    this.#outgoing.set(token, socket);
    socket.unref();
    const introduction = Buffer.alloc(INTRODUCTION_BYTES);
    introduction.writeInt32LE(this.#segment.participant.token);
    socket.write(introduction);
    // EPIPE, ECONNREFUSED, ENOENT: nobody is there to be woken. 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#outgoing.get(token) === socket) this.#outgoing.delete(token);
      this.#look(true);
    });
    // Otherwise the end of the connection would not be noticed.
    socket.resume();
  }

  /** Removes the file of a participant that is proven dead. */
  forget(token: number, identity: Identity): void {
    this.#outgoing.get(token)?.destroy();
    removeFile(bellPath(this.#segment, token, identity));
  }

  /** Keeps the process alive as long as the bell is open. */
  ref(): void {
    this.#keepAlive = true;
    this.#timer.ref();
  }

  /** Lets the process end although the bell is open, as at first. */
  unref(): void {
    this.#keepAlive = false;
    this.#timer.unref();
  }

  /** Whether {@link ref} is in force. */
  get keepsAlive(): boolean {
    return this.#keepAlive;
  }

  /** Takes the bell down. Those connected to it see their connection close. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    this.#server.close();
    removeFile(this.#path);
    for (const socket of this.#incoming) socket.destroy();
    // What was written but not yet taken by the kernel is still sent.
    for (const socket of this.#outgoing.values()) socket.destroySoon();
  }

  #listen(): void {
    if (Buffer.byteLength(this.#path) > MAX_PATH_BYTES) return;
    // Exclusive: in a worker of node:cluster the socket is its own, not one of the primary.
    this.#server.listen({ path: this.#path, exclusive: true });
    this.#server.unref();
    try {
      // Who may open the segment may ring.
      chmodSync(this.#path, 0o600);
    } catch {
      // It could not be made: see #listenFailed.
    }
  }

  #listenFailed(error: Error): void {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || this.#replaced || this.#closed) return;
    // Somebody's leftover under our name, or somebody alive: only he who is refused may replace it.
    const probe = connect({ path: this.#path });
    probe.unref();
    probe.on('connect', () => probe.destroy());
    probe.on('error', (refused) => {
      if ((refused as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || this.#closed) return;
      this.#replaced = true;
      removeFile(this.#path);
      this.#listen();
    });
  }

  #accept(socket: Socket): void {
    let introduction: Buffer = Buffer.alloc(0);
    let token = 0;
    this.#incoming.add(socket);
    socket.unref();
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      if (introduction.length < INTRODUCTION_BYTES) {
        introduction = Buffer.concat([introduction, data]).subarray(0, INTRODUCTION_BYTES);
        token = this.#introduce(introduction, socket);
      }
      // Also who could not be called back rings on this one.
      this.#rung();
    });
    socket.on('close', () => {
      this.#incoming.delete(socket);
      if (this.#introduced.get(token) === socket) this.#introduced.delete(token);
      this.#look(true);
    });
    this.#look(false);
  }

  /** Remembers who is at the other end of an incoming connection, and calls back; returns its token, 0 as long as it is not known. */
  #introduce(introduction: Buffer, socket: Socket): number {
    if (introduction.length < INTRODUCTION_BYTES || this.#closed) return 0;
    const token = introduction.readInt32LE();
    this.#introduced.set(token, socket);
    this.connect(token);
    return token;
  }

  #rung(): void {
    if (!this.#closed) this.#onRing();
  }

  #look(closed: boolean): void {
    if (!this.#closed) this.#onLook(closed);
  }
}

/**
 * Says that the owner of word `index` is about to sleep. To be followed by a last look at what it waits for, and by
 * {@link disarm} if that finds something.
 */
export function arm(words: Int32Array, index: number): void {
  // publish: "I sleep", before the last look. pairs with: takeWaiter, load after the publisher's store of TAIL or HEAD
  store(words, index, 1);
}

/** Says that the owner of word `index` does not sleep. */
export function disarm(words: Int32Array, index: number): void {
  if (load(words, index) !== 0) store(words, index, 0);
}

/** Tells whether the owner of word `index` sleeps and is to be rung for by the caller, and by nobody else. */
export function takeWaiter(words: Int32Array, index: number): boolean {
  return load(words, index) === 1 && compareExchange(words, index, 1, 0) === 1;
}

/** The socket of one life of one participant. */
export function bellPath(segment: Segment, token: number, identity: Identity): string {
  const life = `${segment.incarnation.toString(36)}.${token.toString(36)}`;
  return join(
    dirname(segment.path),
    `${bellPrefix(segment.path)}${life}.${formatIdentity(identity)}${SUFFIX}`,
  );
}

/** Removes the bells of the segment at `segmentPath`, in all its lives, whose owners are proven dead; returns their names. */
export function removeDeadBells(segmentPath: string, observer: Identity): string[] {
  return removeDead(dirname(segmentPath), bellPrefix(segmentPath), observer);
}

/** The same for all segments in a folder, those too that are gone. */
export function removeAllDeadBells(directory: string, observer: Identity): string[] {
  return removeDead(directory, PREFIX, observer);
}

function removeDead(directory: string, prefix: string, observer: Identity): string[] {
  const removed: string[] = [];
  for (const file of filesOf(directory)) {
    if (!file.startsWith(prefix) || !file.endsWith(SUFFIX)) continue;
    const owner = parseIdentity(file.slice(0, -SUFFIX.length).split('.').at(-1) ?? '');
    if (owner === undefined || livenessOf(owner, observer) !== 'dead') continue;
    if (removeFile(join(directory, file))) removed.push(file);
  }
  return removed;
}

/** Segment names may be longer than the path of a socket, so a hash stands for them. */
function bellPrefix(segmentPath: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(basename(segmentPath)))
    hash = Math.imul(hash ^ byte, 0x01000193);
  return `${PREFIX}${(hash >>> 0).toString(36)}.`;
}

function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false; // Gone already, or not ours to remove.
  }
}
