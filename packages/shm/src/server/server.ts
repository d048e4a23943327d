/**
 * One server, many clients: `listen` and `connect`. Each connection is a channel of its own.
 *
 * The name is a meeting place: a segment with a slot for each client that waits. A client makes a channel named after its token, says in
 * its slot that it waits, and notifies; the server opens the other side, and gives the channel's name up at once. So a connection has no
 * file that could be left behind, whoever dies, and a client needs its slot only until it is taken.
 *
 *     client    channel <name>.<life>.<token>.<n>, side b   killed: the next server to start removes the channel
 *               store WAITS in its slot; notify             killed: the server takes the channel, and removes it
 *     server    open side a, give the name up              killed before: the next server takes the connection
 *               swap WAITS → TAKEN                         killed before: the client sees it die, and makes another channel
 *
 * A server that died is replaced by whoever listens next; its clients see `peer-died`, and connect again.
 */
import { dirname } from 'node:path';
import { type Channel, openChannel } from '../channel/channel.js';
import { ShmError } from '../errors.js';
import { Handle, type HandleEvents, handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { add, compareExchange, load, store } from '../platform/atomics.js';
import type { Codec } from '../record/codec.js';
import {
  NOTIFIED_WAITS_WORD,
  NOTIFIED_WORD,
  SegmentKind,
  SLOT_USER,
  slotWord,
  WORD_BYTES,
} from '../segment/layout.js';
import { claimRole, Role, releaseRole } from '../segment/participants.js';
import { filesOf, removeLeftovers, segmentNameOf } from '../segment/path.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { WaitOptions } from '../waiting/waiting.js';

/** Options of {@link listen}. */
export interface ListenOptions<T = Uint8Array> extends OpenOptions {
  /**
   * Connections open at a time; clients beyond it wait.
   * @defaultValue 1024
   */
  readonly maxConnections?: number;
  /**
   * Whether the server keeps the process alive, as a listening socket does.
   * @defaultValue true
   */
  readonly keepAlive?: boolean;
  /**
   * What messages are made of, the same on both sides: see {@link RecordOptions.codec}.
   * @defaultValue none: messages are `Uint8Array`s
   */
  readonly codec?: Codec<T>;
}

/** Options of {@link connect}. */
export interface ConnectOptions<T = Uint8Array> extends WaitOptions {
  /**
   * Folder of the segments.
   * @defaultValue `/dev/shm` on Linux, the temp folder elsewhere
   */
  readonly directory?: string;
  /**
   * Bytes that can wait in each direction: see {@link ChannelOptions.capacityBytes}.
   * @defaultValue 1048576
   */
  readonly capacityBytes?: number;
  /**
   * How long to wait for a server that takes the connection, one that comes later included.
   * @defaultValue 10000
   */
  readonly timeoutMs?: number;
  /**
   * Whether the open connection keeps the process alive, as a socket does.
   * @defaultValue true
   */
  readonly keepAlive?: boolean;
  /**
   * What messages are made of, the same on both sides: see {@link RecordOptions.codec}.
   * @defaultValue none: messages are `Uint8Array`s
   */
  readonly codec?: Codec<T>;
}

/** Events of a {@link Server}. */
export interface ServerEvents<T = Uint8Array> extends HandleEvents {
  /** A client has connected: `connection` is our side of its channel, to be closed when it is done with. */
  connection: [connection: Channel<T>];
  /** A client closed its side, or died; what it sent before can still be read. */
  disconnection: [connection: Channel<T>, how: 'left' | 'died'];
}

/** Word of the payload: the token of who listens, or 0. */
export const SERVER_WORD = 0;
export const SERVER_BYTES = 64;
/** Words of a participant slot: what its client wants, and which of its channels it is. */
const SLOT_STATE: number = SLOT_USER;
const SLOT_ATTEMPT: number = SLOT_USER + 1;
const WAITS = 1;
const TAKEN = 2;
const DEFAULT_MAX_CONNECTIONS = 1024;
const DEFAULT_TIMEOUT_MS = 10_000;

/** Takes connections. Made by {@link listen}. To close it closes those that are open. */
export class Server<T = Uint8Array> extends Handle<ServerEvents<T>> implements AsyncIterable<Channel<T>> {
  readonly #segment: Segment;
  readonly #notified: WaitPoint;
  readonly #serverWord: number;
  readonly #directory: string | undefined;
  readonly #maxConnections: number;
  readonly #connections = new Set<Channel<T>>();
  readonly #codec: Codec<T> | undefined;
  /** Connections that no loop has asked for yet. */
  readonly #pending: Channel<T>[] = [];
  #looping = false;

  /** @internal */
  constructor(segment: Segment, options: ListenOptions<T>) {
    super(segment, 'server');
    this.#segment = segment;
    this.#directory = options.directory;
    this.#codec = options.codec;
    this.#maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    this.#serverWord = segment.payloadOffset / WORD_BYTES + SERVER_WORD;
    this.#notified = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
    claimRole(segment.words, this.#serverWord, segment.participant, segment.participants, 'server');
    void this.#accept();
  }

  /** The connections that are open on this side. */
  get connections(): readonly Channel<T>[] {
    return [...this.#connections];
  }

  /** Connections as they come, those that came before included. Ends when the server is closed. One loop at a time. */
  async *accepted(options: WaitOptions = {}): AsyncGenerator<Channel<T>, void, undefined> {
    assertOptions(options, 'server.accepted');
    if (this.#looping)
      throw new ShmError('ERR_SHM_BUSY', `a loop over the connections of ${this.name} is running`);
    this.#looping = true;
    try {
      for (;;) {
        await this.waiting.until(this.#notified, () => this.#pending.length > 0, options.signal);
        const connection = this.#pending.shift();
        if (connection === undefined) return;
        yield connection;
      }
    } finally {
      this.#looping = false;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Channel<T>> {
    return this.accepted();
  }

  /** @internal */
  protected override leave(): void {
    releaseRole(this.#segment.words, this.#serverWord, this.#segment.participant);
    for (const connection of [...this.#connections]) connection.close();
    this.#pending.length = 0;
    this.#sweep();
  }

  async #accept(): Promise<void> {
    const { words } = this.#segment;
    // Listeners are added in the same turn as the server is made.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.closed) this.#sweep();
    while (!this.closed) {
      const seen = load(words, NOTIFIED_WORD);
      const full = (): boolean => this.#connections.size >= this.#maxConnections;
      for (let slot = 0; slot < this.#segment.participants.count && !this.closed && !full(); slot++)
        this.#take(slot);
      if (this.closed) return;
      await this.waiting.until(this.#notified, () => load(words, NOTIFIED_WORD) !== seen);
    }
  }

  /** Removes the channels of clients that died before they said that they wait, finished or not. */
  #sweep(): void {
    const directory = dirname(this.#segment.path);
    removeLeftovers(directory);
    const prefix = `${channelPrefix(this.#segment)}.`;
    for (const file of filesOf(directory)) {
      const name = segmentNameOf(file);
      if (name?.startsWith(prefix) !== true) continue;
      try {
        Segment.open(undefined, name, { directory, mode: 'open' }).closeAndRemoveIfLast();
      } catch (error) {
        // It is gone, or somebody else's.
        if (!ShmError.is(error)) throw error;
      }
    }
  }

  /** Takes the connection of the client in `slot`, if one waits there. */
  #take(slot: number): void {
    const { words, participants } = this.#segment;
    const state = slotWord(slot) + SLOT_STATE;
    const token = participants.tokenAt(slot);
    if (token === 0 || load(words, state) !== WAITS) return;
    let channel: Channel<T> | undefined;
    try {
      channel = openChannel<T>(
        channelName(this.#segment, token, load(words, slotWord(slot) + SLOT_ATTEMPT)),
        {
          side: 'a',
          mode: 'open',
          ...(this.#directory !== undefined && { directory: this.#directory }),
          ...(this.#codec !== undefined && { codec: this.#codec }),
        },
      );
      channel.unlink();
    } catch (error) {
      // The client gave up just now, or another one of its making stands there: not ours to judge.
      if (!ShmError.is(error)) throw error;
      channel?.close();
      channel = undefined;
    }
    compareExchange(words, state, WAITS, TAKEN);
    if (channel === undefined) return;
    // A client that was here at its slot may be gone from there already, since it saw us come.
    if (channel.peer.state === 'attached') this.#add(channel);
    else channel.close();
  }

  #add(channel: Channel<T>): void {
    this.#connections.add(channel);
    if (this.waiting.keepsAlive) channel.ref();
    const ended = (how: 'left' | 'died') => (): void => {
      if (!this.closed) this.emit('disconnection', channel, how);
    };
    channel.on('peer-left', ended('left')).on('peer-died', ended('died'));
    channel.once('close', () => {
      this.#connections.delete(channel);
      // There is room for one who waits.
      if (!this.closed) this.#notify();
    });
    this.#pending.push(channel);
    this.emit('connection', channel);
    this.waiting.look();
    if (this.listenerCount('connection') > 0 && !this.#looping) this.#pending.length = 0;
  }

  #notify(): void {
    add(this.#segment.words, NOTIFIED_WORD, 1);
    this.waiting.look();
  }
}

/**
 * Listens under `name`: clients in any process {@link connect} to it, each over a channel of its own.
 *
 * @throws {@link ShmError} `ERR_SHM_ROLE_TAKEN` while another server listens; and as every opener.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { connect, listen } from '@chat/shm';
 *
 * const server = listen('adder');
 * server.on('connection', async (client) => {
 *   for await (const message of client) await client.send(message.map((byte) => byte + 1));
 * });
 *
 * const connection = await connect('adder'); // usually in another process
 * await connection.send(Uint8Array.of(1, 2));
 * assert.deepEqual(await connection.receive(), Uint8Array.of(2, 3));
 * connection.close();
 * server.closeAndRemoveIfLast();
 * ```
 */
export function listen<T = Uint8Array>(name: string, options: ListenOptions<T> = {}): Server<T> {
  assertOptions(options, 'listen');
  const { maxConnections = DEFAULT_MAX_CONNECTIONS, keepAlive = true } = options;
  if (!Number.isInteger(maxConnections) || maxConnections < 1) {
    throw new RangeError(`maxConnections is a whole number of 1 or more, not ${maxConnections}`);
  }
  const segment = openMeetingPlace(name, options);
  return handleOn(segment, keepAlive, () => new Server<T>(segment, options));
}

/**
 * Connects to the server that listens under `name`, or waits for one.
 *
 * @throws {@link ShmError} `ERR_SHM_CONNECT_TIMEOUT`; the reason of `signal`; and as every opener.
 */
export async function connect<T = Uint8Array>(
  name: string,
  options: ConnectOptions<T> = {},
): Promise<Channel<T>> {
  assertOptions(options, 'connect');
  const {
    timeoutMs = DEFAULT_TIMEOUT_MS,
    keepAlive = true,
    capacityBytes,
    codec,
    directory,
    signal,
  } = options;
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is 0 or more, not ${timeoutMs}`);
  signal?.throwIfAborted();
  const place = { ...(directory !== undefined && { directory }) };
  const segment = openMeetingPlace(name, place);
  const point = new WaitPoint(segment, NOTIFIED_WAITS_WORD, WaitBit.Notified);
  const waiter = new Knock(segment);
  const patience = AbortSignal.timeout(Math.min(timeoutMs, 2 ** 31 - 1));
  const stop = signal === undefined ? patience : AbortSignal.any([signal, patience]);
  const { words, participant } = segment;
  const slot = slotWord(participant.slot);
  let channel: Channel<T> | undefined;
  try {
    for (let attempt = 1; ; attempt++) {
      channel = openChannel<T>(channelName(segment, participant.token, attempt), {
        ...place,
        side: 'b',
        mode: 'create',
        ...(capacityBytes !== undefined && { capacityBytes }),
        ...(codec !== undefined && { codec }),
      });
      channel.ref();
      const met = meeting(channel, stop);
      store(words, slot + SLOT_ATTEMPT, attempt);
      // publish: "I wait", after the channel was made. pairs with: Server.#take
      store(words, slot + SLOT_STATE, WAITS);
      add(words, NOTIFIED_WORD, 1);
      waiter.knock(point);
      if (await met) {
        giveNameUp(channel);
        return keepAlive ? channel : channel.unref();
      }
      // A server died over this channel, or left; the next one may not find its name any more.
      store(words, slot + SLOT_STATE, 0);
      channel.closeAndRemoveIfLast();
    }
  } catch (error) {
    channel?.closeAndRemoveIfLast();
    signal?.throwIfAborted();
    if (!patience.aborted) throw error;
    throw new ShmError(
      'ERR_SHM_CONNECT_TIMEOUT',
      `no server of ${name} took the connection within ${timeoutMs} ms`,
    );
  } finally {
    waiter.close();
  }
}

/** Usually the server has done so. @throws all but {@link ShmError} */
function giveNameUp(channel: Pick<Channel, 'unlink'>): void {
  try {
    channel.unlink();
  } catch (error) {
    // It is stopped in the middle of it; or closed by a listener.
    if (!ShmError.is(error)) throw error;
  }
}

/** Waits for somebody on the other side. False when it was gone before it was seen. @throws the reason of `signal` */
function meeting<T>(channel: Channel<T>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    channel.once('peer-attached', () => resolve(true));
    channel.once('peer-left', () => resolve(false)).once('peer-died', () => resolve(false));
  });
}

/** A client's handle on the meeting place: for as long as it waits. */
class Knock extends Handle {
  constructor(segment: Segment) {
    super(segment, 'connection');
  }

  knock(point: WaitPoint): void {
    this.waiting.signal(point);
  }
}

function openMeetingPlace(name: string, options: OpenOptions): Segment {
  const { mode, directory, permissions, maxParticipants, trustOwners, onMismatch } = options;
  const given = { mode, directory, permissions, maxParticipants, trustOwners, onMismatch };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const spec = { kind: SegmentKind.Server, params: [], payloadBytes: () => SERVER_BYTES };
  return Segment.open(spec, name, known, Role.Both);
}

/** No token comes twice in one life of the meeting place, so no two connections have the same name. */
function channelName(segment: Segment, token: number, attempt: number): string {
  return `${channelPrefix(segment)}.${token.toString(36)}.${attempt}`;
}

function channelPrefix({ name, incarnation }: Segment): string {
  return `${name}.${incarnation.toString(36)}`;
}
