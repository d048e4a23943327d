/**
 * Reads the stream, message by message, from behind the last one on: a consumer without a name, which the NATS server
 * pushes to, and which is begun anew whenever something may be wrong. The server says every second that it is there, so
 * silence is a sign: a consumer dies with the server that has it, and nobody tells.
 *
 * The library has consumers that mend themselves. They were seen to try without end, and without a message, when the
 * leader of a cluster was killed.
 */
import type { Msg, MsgHdrs, Subscription } from '@nats-io/transport-node';
import type { NatsContext } from '../nats-context.js';

/** So often a server says that there is nothing new. */
const HEARTBEAT_MS = 1000;
/** A consumer that was not heard for so long is begun anew. */
const SILENCE_MS = 3 * HEARTBEAT_MS;
const WATCH_MS = 500;
const RETRY_MS = 250;
/** A consumer that nobody listens to is removed after this. */
const ABANDONED_MS = 30_000;
const NANOS = 1_000_000;
/** Headers of what is no message of the stream but about it. */
const LAST_DELIVERED = 'Nats-Last-Consumer';
const STALLED = 'Nats-Consumer-Stalled';
const ABOUT_DELIVERY = 100;

/** A message of the stream. Borrowed for the call. */
export interface StreamMessage {
  readonly seq: number;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly headers: MsgHdrs | undefined;
}

/** Takes what is read. */
export interface StreamListener {
  /** The next one. */
  deliver(message: StreamMessage): void;
  /** The stream has nothing between these two any more. */
  lacks(after: number, before: number): void;
  /** Nothing is heard, or nothing can be read: the stream may be lost, or another one. */
  doubts(): void;
}

export class StreamReader {
  readonly #context: NatsContext;
  readonly #listener: StreamListener;
  #subscription: Subscription | undefined;
  /** How often reading was begun. */
  #reading = 0;
  /** Number of the message that came last. */
  #last = 0;
  /** Messages of this consumer. */
  #delivered = 0;
  #heardAt: number;
  #stopWatching: () => void = () => {};
  #isMaking = false;

  constructor(context: NatsContext, listener: StreamListener) {
    this.#context = context;
    this.#listener = listener;
    this.#heardAt = context.clock.monotonic();
  }

  /** Number of the message that came last. */
  get last(): number {
    return this.#last;
  }

  /** Milliseconds since anything was heard. */
  get silentMs(): number {
    return this.#context.clock.monotonic() - this.#heardAt;
  }

  /** @param after number of the message behind which reading begins */
  start(after: number): void {
    this.#last = after;
    this.#stopWatching = this.#context.clock.every(WATCH_MS, () => this.#watch());
    this.restart();
  }

  /** Reads with another consumer from behind what came last. */
  restart(): void {
    this.#reading++;
    void this.#read(this.#reading);
  }

  stop(): void {
    this.#reading++;
    this.#stopWatching();
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Begins anew where nothing was heard for too long. */
  #watch(): void {
    if (this.silentMs <= SILENCE_MS || this.#isMaking || this.#context.connection.isClosed()) return;
    this.#listener.doubts();
    this.restart();
  }

  async #read(reading: number): Promise<void> {
    const { connection, manager, library, stream, inboxPrefix, clock } = this.#context;
    this.#subscription?.unsubscribe();
    this.#delivered = 0;
    this.#isMaking = true;
    const inbox = library.transport.createInbox(inboxPrefix);
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (!error && reading === this.#reading) this.#take(message);
      },
    });
    this.#subscription = subscription;
    try {
      const { AckPolicy, DeliverPolicy } = library.jetstream;
      await manager.consumers.add(stream, {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: this.#last + 1,
        ack_policy: AckPolicy.None,
        idle_heartbeat: HEARTBEAT_MS * NANOS,
        flow_control: true,
        inactive_threshold: ABANDONED_MS * NANOS,
        mem_storage: true,
        num_replicas: 1,
      });
      if (reading === this.#reading) this.#isMaking = false;
    } catch {
      if (reading !== this.#reading) return;
      this.#listener.doubts();
      clock.after(RETRY_MS, () => {
        if (reading === this.#reading) this.restart();
      });
    }
  }

  #take(message: Msg): void {
    this.#heardAt = this.#context.clock.monotonic();
    if (message.headers?.code === ABOUT_DELIVERY) {
      this.#heed(message, message.headers);
      return;
    }
    const place = placeOf(message.reply ?? '');
    if (!place) return;
    if (place.delivered !== this.#delivered + 1) {
      this.restart();
      return;
    }
    this.#delivered = place.delivered;
    if (place.seq <= this.#last) return;
    if (place.seq > this.#last + 1) {
      this.#listener.lacks(this.#last, place.seq);
      return;
    }
    this.#last = place.seq;
    const { subject, data: bytes, headers } = message;
    this.#listener.deliver({ seq: place.seq, subject, bytes, headers });
  }

  /** The server asks whether this process keeps up, or says that there is nothing new. */
  #heed(message: Msg, headers: MsgHdrs): void {
    const { connection } = this.#context;
    if (message.reply) connection.publish(message.reply);
    const stalled = headers.get(STALLED);
    if (stalled) connection.publish(stalled);
    const delivered = headers.get(LAST_DELIVERED);
    if (delivered && Number(delivered) > this.#delivered) this.restart();
  }
}

/**
 * Where a message stands: its number in the stream, and among those that this consumer was given. The subject of its
 * answer says so: `$JS.ACK.stream.consumer.tries.seq.delivered.time.pending`, with a domain and an account before the
 * stream in newer servers.
 */
function placeOf(reply: string): { readonly seq: number; readonly delivered: number } | undefined {
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 5 : 7;
  const [seq, delivered] = [Number(tokens[at]), Number(tokens[at + 1])];
  return Number.isSafeInteger(seq) && Number.isSafeInteger(delivered) ? { seq, delivered } : undefined;
}
