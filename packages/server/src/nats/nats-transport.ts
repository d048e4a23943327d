/**
 * Blocks through a stream of JetStream. A block is sent again whenever no acknowledgement came; it is done when it comes
 * back through the consumer, which `BlockLog` sees to. The broker is not asked to find doubles: it was seen to take for
 * one what would have repaired an order.
 */
import { randomBytes } from 'node:crypto';
import type { ConsumerMessages, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { decodeHeader } from '../log/shared/block-header.js';
import type { BlockReceiver, BlockTransport, OpenedStream } from '../log/shared/block-transport.js';
import type { Clock } from '../time/clock.js';
import type { NatsLibrary } from './library.js';
import { PART_HEADER, PartReader, partsOf } from './parts.js';
import { blockSubject, epochOf, saysNoStream } from './stream.js';

/** A server sends so much ahead at the most. Counted in messages instead, a replay of large ones was seen to stall. */
const AHEAD_BYTES = 8_388_608;
const RETRY_MS = 500;
/** So often a server says that there is nothing new. */
const HEARTBEAT_MS = 2000;
/**
 * What a consumer tells when something may be wrong. The library tries again by itself then; when the leader of a cluster
 * was killed, it was seen to do so without end and without a block.
 */
const WORRYING: ReadonlySet<string> = new Set(['stream_not_found', 'consumer_deleted', 'heartbeats_missed']);
/** So often it has to be said that blocks are missing: a cluster that has just elected somebody may not know all of them. */
const MAX_DOUBTS = 10;

/** What a transport is made of; the connection is closed with it. */
export interface NatsTransportContext {
  readonly library: NatsLibrary;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly stream: string;
  readonly epoch: string;
  readonly clock: Clock;
}

export class NatsTransport implements BlockTransport {
  readonly durability = 'process';
  /** Told whose block was delivered, after it was. */
  onBlock: ((process: number) => void) | undefined;
  /** Told before the connection is closed. */
  onClose: (() => void) | undefined;
  readonly #context: NatsTransportContext;
  readonly #client: JetStreamClient;
  readonly #parts: PartReader = new PartReader();
  readonly #sender: string = randomBytes(8).toString('hex');
  #receiver: BlockReceiver | undefined;
  #messages: ConsumerMessages | undefined;
  /** How often reading was begun. */
  #reading = 0;
  /** Number of the message that came last. */
  #last = 0;
  /** Blocks that were sent, repeats included. */
  #sent = 0;
  #isFull = false;
  #doubts = 0;
  #isVerifying = false;
  #isClosed = false;

  constructor(context: NatsTransportContext) {
    this.#context = context;
    this.#client = context.manager.jetstream();
  }

  /** Nothing is kept beside the stream: it is read from its first block on. */
  async open(): Promise<OpenedStream> {
    return { epoch: this.#context.epoch };
  }

  start(receiver: BlockReceiver): void {
    this.#receiver = receiver;
    void this.#watchConnection();
    void this.#consume();
  }

  send(block: Uint8Array): void {
    if (this.#isClosed) return;
    const attempt = ++this.#sent;
    this.#publish(block, attempt).then(
      () => this.#taken(),
      (error: unknown) => this.#notTaken(attempt, error),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#receiver = undefined;
    this.onClose?.();
    this.#messages?.stop();
    await this.#context.connection.close();
  }

  async #publish(block: Uint8Array, attempt: number): Promise<void> {
    const { connection, library, stream } = this.#context;
    const maxBytes = connection.info?.max_payload ?? AHEAD_BYTES;
    const sendings = partsOf(block, maxBytes, this.#sender, attempt).map(({ place, bytes }) => {
      if (place === undefined) return this.#client.publish(blockSubject(stream), bytes);
      const headers = library.transport.headers();
      headers.set(PART_HEADER, place);
      return this.#client.publish(blockSubject(stream), bytes, { headers });
    });
    await Promise.all(sendings);
  }

  #taken(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#receiver?.condition({ state: 'open' });
  }

  /** Nobody knows what became of a block, or the stream refused it: it is sent again after a while, whatever it was. */
  #notTaken(attempt: number, error: unknown): void {
    if (this.#isClosed) return;
    const { library, clock, stream } = this.#context;
    if (error instanceof library.jetstream.JetStreamApiError && !this.#isFull) {
      this.#isFull = true;
      this.#receiver?.condition({
        state: 'full',
        reason: `stream ${stream} refuses a block: ${error.message}`,
      });
    }
    void this.#verify();
    clock.after(RETRY_MS, () => {
      // Where it came back meanwhile, another one is under way.
      if (attempt === this.#sent) this.#receiver?.resend();
    });
  }

  /**
   * Reads from behind what came last. Begun anew after each reconnect, and when nothing is heard of the consumer: it may be
   * gone with its server.
   */
  async #consume(): Promise<void> {
    const { library, stream, connection, clock } = this.#context;
    const reading = ++this.#reading;
    const isOver = (): boolean => this.#isClosed || reading !== this.#reading;
    this.#messages?.stop();
    try {
      const consumer = await this.#client.consumers.get(stream, {
        deliver_policy: library.jetstream.DeliverPolicy.StartSequence,
        opt_start_seq: this.#last + 1,
      });
      if (isOver()) return;
      const messages = await consumer.consume({
        max_bytes: Math.max(AHEAD_BYTES, 2 * (connection.info?.max_payload ?? 0)),
        idle_heartbeat: HEARTBEAT_MS,
        callback: (message) => {
          if (!isOver()) this.#deliver(message);
        },
      });
      this.#messages = messages;
      if (isOver()) messages.stop();
      for await (const { type } of messages.status()) {
        if (WORRYING.has(type)) break;
      }
    } catch {
      // Nobody answers, or there is no stream any more.
    }
    if (isOver()) return;
    void this.#verify();
    clock.after(RETRY_MS, () => {
      if (!isOver()) void this.#consume();
    });
  }

  #deliver(message: JsMsg): void {
    if (this.#isClosed || message.seq <= this.#last) return;
    if (message.seq !== this.#last + 1) {
      this.#fail(`lacks what came after ${this.#last}, up to ${message.seq}`);
      return;
    }
    this.#last = message.seq;
    const place = message.headers?.get(PART_HEADER);
    const block = this.#parts.take(place === '' ? undefined : place, message.data);
    if (!block) return;
    this.#receiver?.block(message.seq, block);
    if (this.onBlock) this.onBlock(originOf(block));
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#context.connection.status()) {
      if (type !== 'reconnect') continue;
      void this.#verify();
      void this.#consume();
      this.#receiver?.resend();
    }
  }

  /** Whether the stream is still the one that was opened, with all that was read of it. */
  async #verify(): Promise<void> {
    if (this.#isVerifying || this.#isClosed) return;
    this.#isVerifying = true;
    const { manager, library, stream, epoch, clock } = this.#context;
    const read = this.#last;
    try {
      const info = await manager.streams.info(stream);
      const { last_seq } = info.state;
      if (epochOf(info) !== epoch) this.#fail('is another one than the one that was read');
      else if (last_seq < read)
        this.#doubt(`was shortened: it ends at ${last_seq}, and ${read} was read`, clock);
      else this.#doubts = 0;
    } catch (error) {
      // Where nobody answers, whatever comes next asks again.
      if (saysNoStream(error, library)) this.#doubt('is lost', clock);
    } finally {
      this.#isVerifying = false;
    }
  }

  #doubt(what: string, clock: Clock): void {
    this.#doubts++;
    if (this.#doubts >= MAX_DOUBTS) this.#fail(what);
    else clock.after(RETRY_MS, () => void this.#verify());
  }

  #fail(what: string): void {
    if (this.#isClosed) return;
    const reason = `stream ${this.#context.stream} of NATS ${what}`;
    this.#receiver?.condition({ state: 'failed', reason });
    this.#receiver = undefined;
    this.#reading++;
    this.#messages?.stop();
  }
}

/** Zero for what is no block; the log has said so by then. */
function originOf(block: Uint8Array): number {
  try {
    return decodeHeader(block).origin;
  } catch {
    return 0;
  }
}
