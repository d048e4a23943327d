/**
 * One server, many clients: the server's side of `listen` and `connect`. How they meet is in `meeting-place.ts`.
 *
 * Each connection is a channel, of which the server has side a. Closing the server closes its connections; a server that died is replaced by
 * whoever listens next.
 */
import { dirname } from 'node:path';
import { type Channel, openChannel } from '../channel/channel.js';
import { ShmError } from '../errors.js';
import { Handle, type HandleEvents, handleOn } from '../handle.js';
import { assertOptions } from '../option-names.js';
import { add, compareExchange, load } from '../platform/atomics.js';
import type { Codec } from '../record/codec.js';
import type { RecordOptions } from '../record/options.js';
import { NOTIFIED_WAITS_WORD, NOTIFIED_WORD, slotWord, WORD_BYTES } from '../segment/layout.js';
import { claimRole, releaseRole } from '../segment/participants.js';
import { filesOf, removeLeftovers, segmentNameOf } from '../segment/path.js';
import { type OpenOptions, Segment } from '../segment/segment.js';
import { WaitBit, WaitPoint } from '../waiting/wait-point.js';
import type { WaitOptions } from '../waiting/waiting.js';
import {
  channelName,
  channelPrefix,
  giveNameUp,
  openMeetingPlace,
  SERVER_WORD,
  SLOT_ATTEMPT,
  SLOT_WAITS,
} from './meeting-place.js';

/** Options of {@link listen}. */
export interface ListenOptions<T = Uint8Array> extends OpenOptions, Pick<RecordOptions<T>, 'codec'> {
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
}

/** Events of a {@link Server}. */
export interface ServerEvents<T = Uint8Array> extends HandleEvents {
  /** A client has connected: `connection` is our side of its channel, to be closed when it is done with. */
  connection: [connection: Channel<T>];
  /** A client closed its side, or died; what it sent before can still be read. */
  disconnection: [connection: Channel<T>, how: 'left' | 'died'];
}

const DEFAULT_MAX_CONNECTIONS = 1024;

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
    const waits = slotWord(slot) + SLOT_WAITS;
    const token = participants.tokenAt(slot);
    if (token === 0 || load(words, waits) !== token) return;
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
      giveNameUp(channel);
    } catch (error) {
      // The client gave up just now, or another one of its making stands there: not ours to judge.
      if (!ShmError.is(error)) throw error;
    }
    // From the very token, and before the channel may be closed: see the head of meeting-place.ts.
    compareExchange(words, waits, token, 0);
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
