/**
 * Blocks through a stream of JetStream, of one process or of several that share this connection. A block is sent again whenever nobody knows what became of it; it is done when it
 * comes back through the reader. The broker is not asked to find doubles: it was seen to take for one what would have
 * repaired an order.
 */
import { randomBytes } from 'node:crypto';
import type { JetStreamClient, StreamInfo } from '@nats-io/jetstream';
import type { LogCondition } from '../log/event-log.js';
import { BLOCK_HEADER_BYTES, decodeHeader } from '../log/shared/block-header.js';
import type { BlockReceiver, BlockTransport, OpenedStream } from '../log/shared/block-transport.js';
import type { NatsContext } from './nats-context.js';
import { PART_HEADER, PartReader, partsOf } from './parts.js';
import type { Beginning } from './snapshot/beginning.js';
import type { StreamMark } from './snapshot/encoding.js';
import { currentEpoch, endEpoch, type StreamEpoch } from './stream/epochs.js';
import { READ_HEADER, StreamProof, signatureOf } from './stream/proof.js';
import { type StreamMessage, StreamReader } from './stream/reader.js';
import { blockSubject, epochOf, epochSubject, saysNoStream } from './stream/stream.js';

/** How long a publish waits for its acknowledgement. */
const ACK_MS = 2000;
const RETRY_MS = 500;
/** The state of things is looked at so often. */
const LOOK_MS = 500;
/** Cut off for so long is told. The election of a leader in a cluster takes a part of it. */
const STALL_MS = 5000;
/**
 * So often it has to be said that the stream is not there, or that blocks are missing. A cluster that has just elected
 * somebody may not know all of them; a server that is cut off from the others may say so for longer.
 */
const MAX_DOUBTS = { lost: 10, shortened: 30 } as const;
/** Where the NATS server does not say what it takes. */
const MAX_PAYLOAD = 1_048_576;

/** A block that has not come back yet. */
interface UnderWay {
  readonly block: Uint8Array;
  /** When it was sent first. */
  readonly since: number;
  /** The sending that counts: the last one. */
  attempt: number;
}

export class NatsTransport implements BlockTransport {
  readonly durability = 'process';
  /** Told whose block was delivered, after it was, and with which message it was whole. */
  onBlock: ((process: number, seq: number) => void) | undefined;
  /** Told before the connection is closed. */
  onClose: (() => void) | undefined;
  readonly #context: NatsContext;
  readonly #beginning: Beginning;
  readonly #epoch: StreamEpoch;
  readonly #client: JetStreamClient;
  readonly #reader: StreamReader;
  readonly #proof: StreamProof;
  readonly #parts: PartReader;
  /** Signature of the message that came last. */
  #signature = '';
  readonly #sender: string = randomBytes(8).toString('hex');
  #receiver: BlockReceiver | undefined;
  /** The block of each process that has not come back yet. */
  readonly #underWay = new Map<number, UnderWay>();
  /** Blocks that were sent, repeats included. */
  #sent = 0;
  /** Since when there is no connection. */
  #cutSince: number | undefined;
  /** Why the stream takes no block. */
  #refusal: string | undefined;
  /** The condition that was told last. */
  #told: LogCondition['state'] = 'open';
  #doubts = 0;
  #isVerifying = false;
  /** The stream cannot be used any more. */
  #isOver = false;
  #isClosed = false;
  #stopLooking: () => void = () => {};

  /** The connection of `context` is closed with it. */
  constructor(context: NatsContext, beginning: Beginning) {
    const { epoch, snapshot, sum } = beginning;
    this.#context = context;
    this.#beginning = beginning;
    this.#epoch = epoch;
    this.#parts = new PartReader(snapshot?.begun);
    this.#client = context.manager.jetstream();
    this.#proof = new StreamProof(
      epoch.name,
      sum === undefined ? { seq: epoch.since } : { seq: snapshot!.blocks.position, sum },
    );
    this.#reader = new StreamReader(context, {
      deliver: (message) => this.#deliver(message),
      lacks: (after, before) => this.#fail(`lacks what came after ${after}, up to ${before}`),
      doubts: () => void this.#verify(),
    });
  }

  async open(): Promise<OpenedStream> {
    const { epoch, snapshot } = this.#beginning;
    return { epoch: epoch.name, snapshot: snapshot?.blocks };
  }

  /** What is to be known of the stream at this moment, beside what a log knows that has applied all of it. */
  mark(): StreamMark {
    const { last: position } = this.#reader;
    return { position, signature: this.#signature, sum: this.#proof.sum, begun: this.#parts.begun };
  }

  /** Number of the message that came last. */
  get position(): number {
    return this.#reader.last;
  }

  /** Blocks that were sent so far, repeats included, and those that have not come back. */
  get sendings(): { readonly sent: number; readonly underWay: number } {
    return { sent: this.#sent, underWay: this.#underWay.size };
  }

  start(receiver: BlockReceiver): void {
    this.#receiver = receiver;
    void this.#watchConnection();
    this.#reader.start(this.#beginning.snapshot?.blocks.position ?? 0);
    this.#stopLooking = this.#context.clock.every(LOOK_MS, () => this.#look());
  }

  send(block: Uint8Array): void {
    if (this.#isClosed) return;
    const origin = originOf(block);
    this.#underWay.set(origin, { block, since: this.#context.clock.monotonic(), attempt: 0 });
    this.#publish(origin);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#receiver = undefined;
    this.onClose?.();
    this.#stopLooking();
    this.#reader.stop();
    await this.#context.connection.close();
  }

  /** Sends what a process has under way; without a connection, once there is one again. */
  #publish(origin: number): void {
    const underWay = this.#underWay.get(origin);
    if (!underWay || this.#isClosed || this.#isOver || this.#cutSince !== undefined) return;
    const attempt = ++this.#sent;
    underWay.attempt = attempt;
    this.#publishParts(underWay.block, origin, attempt).then(
      () => this.#taken(origin, attempt),
      (error: unknown) => this.#notTaken(origin, attempt, error),
    );
  }

  async #publishParts(block: Uint8Array, origin: number, attempt: number): Promise<void> {
    const { connection, library, stream } = this.#context;
    const maxBytes = connection.info?.max_payload ?? MAX_PAYLOAD;
    const read = this.#reader.last;
    // Parts of one sender follow each other, and those of several processes may not.
    const sender = `${this.#sender}-${origin}`;
    const sendings = partsOf(block, maxBytes, sender, attempt).map(({ place, bytes }) => {
      const headers = library.transport.headers();
      headers.set(READ_HEADER, this.#proof.stamp);
      if (place !== undefined) headers.set(PART_HEADER, place);
      return this.#client.publish(blockSubject(stream), bytes, { headers, timeout: ACK_MS });
    });
    const stored = Math.min(...(await Promise.all(sendings)).map(({ seq }) => seq));
    if (stored > read) return;
    void this.#endEpoch(`was shortened: a block was stored at ${stored}, and ${read} was read before`);
  }

  /** A block that was acknowledged and does not come is sent again: its leader may have been killed before it was kept. */
  #taken(origin: number, attempt: number): void {
    this.#refusal = undefined;
    this.#look();
    this.#context.clock.after(ACK_MS, () => this.#repeat(origin, attempt));
  }

  /** Nobody knows what became of a block, or the stream refused it: it is sent again after a while, whatever it was. */
  #notTaken(origin: number, attempt: number, error: unknown): void {
    if (this.#isClosed) return;
    const { library, clock, stream } = this.#context;
    if (error instanceof library.jetstream.JetStreamApiError) {
      this.#refusal = `stream ${stream} refuses a block: ${error.message}`;
      this.#look();
    }
    void this.#verify();
    clock.after(RETRY_MS, () => this.#repeat(origin, attempt));
  }

  /** Sends the block again, unless it came back and another one is under way, or it was sent again already. */
  #repeat(origin: number, attempt: number): void {
    if (this.#underWay.get(origin)?.attempt === attempt) this.#publish(origin);
  }

  #deliver({ seq, subject, bytes, headers }: StreamMessage): void {
    const { stream } = this.#context;
    if (seq > this.#epoch.since) {
      if (subject === epochSubject(stream)) {
        this.#fail(`has begun a new epoch at ${seq}, because something of it was lost`);
        return;
      }
      const problem = this.#proof.take(seq, bytes, headers?.get(READ_HEADER) || undefined);
      if (problem !== undefined) {
        void this.#endEpoch(problem);
        return;
      }
    }
    this.#signature = signatureOf(bytes);
    if (subject === epochSubject(stream)) return;
    const block = this.#parts.take(headers?.get(PART_HEADER) || undefined, bytes);
    if (!block || !this.#receiver) return;
    const origin = originOf(block);
    const underWay = this.#underWay.get(origin);
    if (underWay && isSame(underWay.block, block)) this.#underWay.delete(origin);
    this.#receiver.block(seq, block);
    this.onBlock?.(origin, seq);
  }

  async #watchConnection(): Promise<void> {
    const { connection, clock } = this.#context;
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') this.#cutSince ??= clock.monotonic();
      if (type !== 'reconnect') continue;
      this.#cutSince = undefined;
      void this.#verify();
      this.#reader.restart();
      for (const origin of this.#underWay.keys()) this.#publish(origin);
    }
  }

  /** Tells whether blocks come and go. */
  #look(): void {
    if (!this.#receiver || this.#isOver) return;
    const stall = this.#refusal === undefined ? this.#stall() : undefined;
    const state = this.#refusal !== undefined ? 'full' : stall !== undefined ? 'stalled' : 'open';
    // What comes on top of a reason is not told again.
    if (state === this.#told) return;
    this.#told = state;
    if (state === 'open') this.#receiver.condition({ state });
    else this.#receiver.condition({ state, reason: this.#refusal ?? stall ?? '' });
  }

  /** Why nothing comes or goes, once it has been so for a while. */
  #stall(): string | undefined {
    const { stream, clock } = this.#context;
    const now = clock.monotonic();
    if (this.#cutSince !== undefined) {
      // One who was cut off in another way before is still cut off.
      const isCutOff = now - this.#cutSince > STALL_MS || this.#told === 'stalled';
      return isCutOff ? 'NATS is not reached' : undefined;
    }
    if (this.#reader.silentMs > STALL_MS) return `nothing is heard of stream ${stream} of NATS`;
    if ([...this.#underWay.values()].some(({ since }) => now - since > STALL_MS)) {
      return `stream ${stream} of NATS does not take what is said`;
    }
    return undefined;
  }

  /** Whether the stream is still the one that was opened, with all that was read of it. */
  async #verify(): Promise<void> {
    if (this.#isVerifying || this.#isClosed || this.#isOver) return;
    this.#isVerifying = true;
    const { manager, library, stream } = this.#context;
    const read = this.#reader.last;
    try {
      const info = await manager.streams.info(stream);
      const { last_seq } = info.state;
      if (epochOf(info) !== this.#epoch.origin) this.#fail('is another one than the one that was read');
      else if (last_seq >= read) this.#doubts = 0;
      else await this.#suspect(last_seq, read, info);
    } catch (error) {
      // Where nobody answers, whatever comes next asks again.
      if (saysNoStream(error, library) && this.#mayDoubt(MAX_DOUBTS.lost)) this.#fail('is lost');
    } finally {
      this.#isVerifying = false;
    }
  }

  /** The stream is said to end before what was read of it. */
  async #suspect(end: number, read: number, info: StreamInfo): Promise<void> {
    const { name } = await currentEpoch(this.#context, info);
    const what = `was shortened: it ends at ${end}, and ${read} was read`;
    if (name !== this.#epoch.name) this.#fail(what);
    else if (this.#mayDoubt(MAX_DOUBTS.shortened)) void this.#endEpoch(what);
  }

  /** Whether it was said often enough; if not, it is asked again. */
  #mayDoubt(times: number): boolean {
    this.#doubts++;
    if (this.#doubts >= times) return true;
    this.#context.clock.after(RETRY_MS, () => void this.#verify());
    return false;
  }

  /** Something of the stream is lost: this is its last moment, and all are to begin anew. Nothing of it is delivered. */
  async #endEpoch(what: string): Promise<void> {
    if (this.#isClosed || this.#isOver) return;
    this.#stop();
    await endEpoch(this.#context, this.#epoch);
    this.#tellFailure(what);
  }

  #fail(what: string): void {
    if (this.#isClosed || this.#isOver) return;
    this.#stop();
    this.#tellFailure(what);
  }

  #stop(): void {
    this.#isOver = true;
    this.#stopLooking();
    this.#reader.stop();
  }

  #tellFailure(what: string): void {
    const reason = `stream ${this.#context.stream} of NATS ${what}`;
    this.#receiver?.condition({ state: 'failed', reason });
    this.#receiver = undefined;
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
