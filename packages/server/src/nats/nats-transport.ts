/**
 * Blocks through a stream of JetStream. A block is sent again whenever nobody knows what became of it; it is done when it
 * comes back through the reader. The broker is not asked to find doubles: it was seen to take for one what would have
 * repaired an order.
 */
import { randomBytes } from 'node:crypto';
import type { JetStreamClient } from '@nats-io/jetstream';
import { BLOCK_HEADER_BYTES, decodeHeader } from '../log/shared/block-header.js';
import type { BlockReceiver, BlockTransport, OpenedStream } from '../log/shared/block-transport.js';
import type { NatsContext } from './nats-context.js';
import { PART_HEADER, PartReader, partsOf } from './parts.js';
import { blockSubject, epochOf, saysNoStream } from './stream.js';
import { StreamReader } from './stream-reader.js';

/** How long a publish waits for its acknowledgement. */
const ACK_MS = 2000;
const RETRY_MS = 500;
/** The state of things is looked at so often. */
const LOOK_MS = 500;
/** Cut off for so long is told. The election of a leader in a cluster takes a part of it. */
const STALL_MS = 5000;
/** So often it has to be said that blocks are missing: a cluster that has just elected somebody may not know all of them. */
const MAX_DOUBTS = 10;
/** Where the NATS server does not say what it takes. */
const MAX_PAYLOAD = 1_048_576;

/** What a transport is made of; the connection is closed with it. */
export interface NatsTransportContext extends NatsContext {
  readonly epoch: string;
}

export class NatsTransport implements BlockTransport {
  readonly durability = 'process';
  /** Told whose block was delivered, after it was. */
  onBlock: ((process: number) => void) | undefined;
  /** Told before the connection is closed. */
  onClose: (() => void) | undefined;
  readonly #context: NatsTransportContext;
  readonly #client: JetStreamClient;
  readonly #reader: StreamReader;
  readonly #parts: PartReader = new PartReader();
  readonly #sender: string = randomBytes(8).toString('hex');
  #receiver: BlockReceiver | undefined;
  /** The block that has not come back yet, and since when. */
  #underWay: { readonly block: Uint8Array; readonly since: number } | undefined;
  /** Blocks that were sent, repeats included. */
  #sent = 0;
  /** Since when there is no connection. */
  #cutSince: number | undefined;
  /** Why the stream takes no block. */
  #refusal: string | undefined;
  #told = '';
  #doubts = 0;
  #isVerifying = false;
  #isClosed = false;
  #stopLooking: () => void = () => {};

  constructor(context: NatsTransportContext) {
    this.#context = context;
    this.#client = context.manager.jetstream();
    this.#reader = new StreamReader(context, {
      deliver: ({ seq, bytes, headers }) => this.#deliver(seq, bytes, headers?.get(PART_HEADER) || undefined),
      lacks: (after, before) => this.#fail(`lacks what came after ${after}, up to ${before}`),
      doubts: () => void this.#verify(),
    });
  }

  /** Nothing is kept beside the stream: it is read from its first block on. */
  async open(): Promise<OpenedStream> {
    return { epoch: this.#context.epoch };
  }

  start(receiver: BlockReceiver): void {
    this.#receiver = receiver;
    void this.#watchConnection();
    this.#reader.start(0);
    this.#stopLooking = this.#context.clock.every(LOOK_MS, () => this.#look());
  }

  send(block: Uint8Array): void {
    if (this.#isClosed) return;
    this.#underWay = { block, since: this.#context.clock.monotonic() };
    this.#publish();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#receiver = undefined;
    this.onClose?.();
    this.#stopLooking();
    this.#reader.stop();
    await this.#context.connection.close();
  }

  /** Sends what is under way; without a connection, once there is one again. */
  #publish(): void {
    if (!this.#underWay || this.#isClosed || this.#cutSince !== undefined) return;
    const attempt = ++this.#sent;
    this.#publishParts(this.#underWay.block, attempt).then(
      () => this.#taken(attempt),
      (error: unknown) => this.#notTaken(attempt, error),
    );
  }

  async #publishParts(block: Uint8Array, attempt: number): Promise<void> {
    const { connection, library, stream } = this.#context;
    const maxBytes = connection.info?.max_payload ?? MAX_PAYLOAD;
    const sendings = partsOf(block, maxBytes, this.#sender, attempt).map(({ place, bytes }) => {
      if (place === undefined) return this.#client.publish(blockSubject(stream), bytes, { timeout: ACK_MS });
      const headers = library.transport.headers();
      headers.set(PART_HEADER, place);
      return this.#client.publish(blockSubject(stream), bytes, { headers, timeout: ACK_MS });
    });
    await Promise.all(sendings);
  }

  /** A block that was acknowledged and does not come is sent again: its leader may have been killed before it was kept. */
  #taken(attempt: number): void {
    this.#refusal = undefined;
    this.#look();
    this.#context.clock.after(ACK_MS, () => this.#repeat(attempt));
  }

  /** Nobody knows what became of a block, or the stream refused it: it is sent again after a while, whatever it was. */
  #notTaken(attempt: number, error: unknown): void {
    if (this.#isClosed) return;
    const { library, clock, stream } = this.#context;
    if (error instanceof library.jetstream.JetStreamApiError) {
      this.#refusal = `stream ${stream} refuses a block: ${error.message}`;
      this.#look();
    }
    void this.#verify();
    clock.after(RETRY_MS, () => this.#repeat(attempt));
  }

  /** Sends the block again, unless it came back and another one is under way, or it was sent again already. */
  #repeat(attempt: number): void {
    if (attempt === this.#sent) this.#publish();
  }

  #deliver(seq: number, bytes: Uint8Array, place: string | undefined): void {
    const block = this.#parts.take(place, bytes);
    if (!block || !this.#receiver) return;
    if (this.#underWay && isSame(this.#underWay.block, block)) this.#underWay = undefined;
    this.#receiver.block(seq, block);
    if (this.onBlock) this.onBlock(originOf(block));
  }

  async #watchConnection(): Promise<void> {
    const { connection, clock } = this.#context;
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') this.#cutSince ??= clock.monotonic();
      if (type !== 'reconnect') continue;
      this.#cutSince = undefined;
      void this.#verify();
      this.#reader.restart();
      this.#publish();
    }
  }

  /** Tells whether blocks come and go. */
  #look(): void {
    if (!this.#receiver) return;
    const stalled = this.#refusal === undefined ? this.#stall() : undefined;
    const reason = this.#refusal ?? stalled ?? '';
    if (reason === this.#told) return;
    this.#told = reason;
    if (reason === '') this.#receiver.condition({ state: 'open' });
    else this.#receiver.condition({ state: stalled === undefined ? 'full' : 'stalled', reason });
  }

  /** Why nothing comes or goes, once it has been so for a while. */
  #stall(): string | undefined {
    const { stream, clock } = this.#context;
    const now = clock.monotonic();
    if (this.#cutSince !== undefined) {
      return now - this.#cutSince > STALL_MS ? 'NATS is not reached' : this.#stillStalled();
    }
    if (this.#reader.silentMs > STALL_MS) return `nothing is heard of stream ${stream} of NATS`;
    if (this.#underWay && now - this.#underWay.since > STALL_MS) {
      return `stream ${stream} of NATS does not take what is said`;
    }
    return undefined;
  }

  /** One who was cut off in another way is still cut off. */
  #stillStalled(): string | undefined {
    return this.#told === '' ? undefined : this.#told;
  }

  /** Whether the stream is still the one that was opened, with all that was read of it. */
  async #verify(): Promise<void> {
    if (this.#isVerifying || this.#isClosed) return;
    this.#isVerifying = true;
    const { manager, library, stream, epoch } = this.#context;
    const read = this.#reader.last;
    try {
      const info = await manager.streams.info(stream);
      const { last_seq } = info.state;
      if (epochOf(info) !== epoch) this.#fail('is another one than the one that was read');
      else if (last_seq < read) this.#doubt(`was shortened: it ends at ${last_seq}, and ${read} was read`);
      else this.#doubts = 0;
    } catch (error) {
      // Where nobody answers, whatever comes next asks again.
      if (saysNoStream(error, library)) this.#doubt('is lost');
    } finally {
      this.#isVerifying = false;
    }
  }

  #doubt(what: string): void {
    this.#doubts++;
    if (this.#doubts >= MAX_DOUBTS) this.#fail(what);
    else this.#context.clock.after(RETRY_MS, () => void this.#verify());
  }

  #fail(what: string): void {
    if (this.#isClosed) return;
    const reason = `stream ${this.#context.stream} of NATS ${what}`;
    this.#receiver?.condition({ state: 'failed', reason });
    this.#receiver = undefined;
    this.#stopLooking();
    this.#reader.stop();
  }
}

/** Whether two blocks have the same header: nobody sends another one under it. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  const [head, header] = [one.subarray(0, BLOCK_HEADER_BYTES), other.subarray(0, BLOCK_HEADER_BYTES)];
  return Buffer.compare(head, header) === 0;
}

/** Zero for what is no block; the log has said so by then. */
function originOf(block: Uint8Array): number {
  try {
    return decodeHeader(block).origin;
  } catch {
    return 0;
  }
}
