/**
 * A log that several processes share.
 *
 * All that a process appends within a turn is a block, which carries the number of the process and its own. One block of
 * a process is under way at a time; it is done when it comes back. Everybody applies only the next number of each
 * process, so a block may be sent again whenever it is not known what became of it. The position of an entry is that of its
 * block times 1024 and its place in it: everybody comes to the same, wherever it began to read.
 */
import { randomBytes } from 'node:crypto';
import { FailureCode } from '@chat/protocol';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { type Clock, systemClock } from '../../time/clock.js';
import { BLOCK_ENTRIES, blocksOf, readBlock } from '../block.js';
import { claim } from '../claims.js';
import { ClaimKind, type Draft, isShown, type LogEntry } from '../entry.js';
import type {
  ChatSnapshot,
  Durability,
  EventLog,
  EventStore,
  LogCondition,
  LogConsumer,
  Recovered,
  RemovalWish,
} from '../event-log.js';
import { BLOCK_HEADER_BYTES, decodeHeader, encodeBlock } from './block-header.js';
import { type BlockSnapshot, type BlockTransport, SNAPSHOT_VERSION } from './block-transport.js';
import { type PendingBlock, PendingBlocks } from './pending-blocks.js';

/** Options of {@link createBlockLog}. */
export interface BlockLogOptions {
  /** Bytes of drafts that wait for their turn, at the most: what comes beyond is refused. @defaultValue 16777216 */
  readonly maxPendingBytes?: number;
  /** @defaultValue the machine's */
  readonly clock?: Clock;
  /** Answers for what is older than the heap: a store that keeps what the transport brings. @defaultValue none */
  readonly store?: EventStore;
  /** Names this process, from 1 to 2^48 - 1, and no other that ever shared the log. @defaultValue chosen at random */
  readonly process?: number;
}

const DEFAULT_MAX_PENDING_BYTES = 16_777_216;
/** A publish that was refused is worth a second try after this. */
const RETRY_MS = 1000;
/** A log that is closed waits for its last block no longer than this. */
const CLOSE_MS = 2000;

/**
 * Makes a log of what brings blocks to several processes.
 *
 * @throws RangeError when an option is out of range
 */
export function createBlockLog(transport: BlockTransport, options: BlockLogOptions = {}): BlockLog {
  return new BlockLog(transport, options);
}

/** A log that several processes share. Made by {@link createBlockLog}. */
export class BlockLog implements EventLog {
  readonly durability: Durability;
  readonly store?: EventStore;
  readonly process: number;
  onCondition: ((condition: LogCondition) => void) | undefined;
  onSnapshot: (() => ChatSnapshot) | undefined;
  /**
   * Told once, when the log has failed or the others have declared this process gone: nothing comes any more. A process
   * that ends then, and is started again, is as good as new.
   */
  onFailed: ((reason: string) => void) | undefined;
  onForget: ((wish: RemovalWish) => void) | undefined;
  readonly #transport: BlockTransport;
  readonly #clock: Clock;
  readonly #maxPendingBytes: number;
  readonly #pending: PendingBlocks = new PendingBlocks();
  /** The number of the last block of each process. */
  readonly #numbers = new Map<number, number>();
  #epoch = '';
  #gone: readonly number[] = [];
  /** Processes that are gone, and that the log did not take. */
  readonly #goneLater: Set<number> = new Set();
  #consumer: LogConsumer | undefined;
  #condition: LogCondition = { state: 'open' };
  /** Position of the block that came last. */
  #position = 0;
  /** Drafts so far. */
  #drafts = 0;
  /** The block that is under way, as it was sent. */
  #inFlight: { readonly pending: PendingBlock; readonly bytes: Uint8Array } | undefined;
  #isScheduled = false;
  #isClosing = false;
  #closed: Promise<void> | undefined;

  /** @internal */
  constructor(transport: BlockTransport, options: BlockLogOptions) {
    const { maxPendingBytes = DEFAULT_MAX_PENDING_BYTES, clock = systemClock, process } = options;
    if (!(maxPendingBytes > 0)) {
      throw new RangeError(`maxPendingBytes must be positive, got ${maxPendingBytes}`);
    }
    if (process !== undefined && !(Number.isInteger(process) && process >= 1 && process < 2 ** 48)) {
      throw new RangeError(`process must be a whole number from 1 to 2^48 - 1, got ${process}`);
    }
    this.#transport = transport;
    this.#clock = clock;
    this.#maxPendingBytes = maxPendingBytes;
    this.durability = transport.durability ?? 'none';
    if (options.store) this.store = options.store;
    this.process = process ?? Math.max(1, randomBytes(6).readUIntBE(0, 6));
  }

  get epoch(): string {
    return this.#epoch;
  }

  get condition(): LogCondition {
    return this.#condition;
  }

  /** Position of the block that came last. */
  get position(): number {
    return this.#position;
  }

  /** Those that ever appended something, as far as is known, in the order of their coming. */
  get origins(): number[] {
    return [...this.#numbers.keys()];
  }

  /** Bytes that wait for their turn. */
  get pendingBytes(): number {
    return this.#pending.bytes;
  }

  /** @throws RangeError when the snapshot is of a version that is not known */
  async open(consumer: LogConsumer): Promise<Recovered | undefined> {
    this.#consumer = consumer;
    const { epoch, snapshot, gone = [] } = await this.#transport.open();
    this.#epoch = epoch;
    this.#gone = gone;
    if (!snapshot) return undefined;
    const { version, position, numbers, state, tail, floors } = snapshot;
    if (version !== SNAPSHOT_VERSION) {
      throw new RangeError(
        `a snapshot has version ${version}, and this process reads version ${SNAPSHOT_VERSION}`,
      );
    }
    this.#position = position;
    for (const [origin, number] of numbers) this.#numbers.set(origin, number);
    const entries = tail.flatMap(({ first, bytes }) => readBlock(bytes, first));
    // A store keeps more than what people said.
    const said = entries.filter((entry) => isShown(entry) && !entry.isVoid);
    return { state, tail: said, floors: new Map(floors) };
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#append(ClaimKind.ProcessCame, undefined, {
        appended: (_entry, { kind }) => {
          if (kind === 'process-came') resolve();
          else reject(new Error(`a process shares the log already under the number ${this.process}`));
        },
        refused: ({ message }) =>
          reject(new ServerError(ServerErrorCode.Unavailable, `cannot take part in the log: ${message}`)),
      });
      this.#transport.start({
        block: (position, bytes) => this.#receive(position, bytes),
        resend: () => {
          if (this.#inFlight) this.#transport.send(this.#inFlight.bytes);
        },
        refused: (by, number, reason) => this.#refused(by, number, reason),
        condition: (condition) => this.#setCondition(condition),
      });
      for (const process of this.#gone) this.declareGone(process);
    });
  }

  append(draft: Draft): void {
    if (!this.#consumer || this.#isClosing) return;
    if (!this.#takes) {
      refuse(draft, this.#problem());
      return;
    }
    if (this.#pending.bytes > this.#maxPendingBytes) {
      const why = this.#condition.state === 'open' ? '' : `, and ${this.#problem()}`;
      refuse(draft, `more than ${this.#maxPendingBytes} bytes wait for the log${why}`);
      return;
    }
    this.#pending.add(draft, ++this.#drafts);
    if (this.#inFlight || this.#isScheduled) return;
    this.#isScheduled = true;
    // Everything that this turn appends is one block.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#sendNext();
    });
  }

  givenUp(): void {
    this.#setCondition({ state: 'failed', reason: 'the others have declared this process gone' });
  }

  /** Says that a process is gone: its sessions may go on at others, and what still comes from it does not count. */
  declareGone(process: number): void {
    // It is true all the same where the log does not take it.
    const origin = { appended: () => {}, refused: () => void this.#goneLater.add(process) };
    this.#append(ClaimKind.ProcessGone, { process }, origin);
  }

  /**
   * All that a process which begins to read behind the block that came last has to know.
   *
   * @throws Error before a server has opened the log
   */
  snapshot(): BlockSnapshot {
    if (!this.onSnapshot) throw new Error('the log is not open');
    const { state, tail, floors } = this.onSnapshot();
    return {
      version: SNAPSHOT_VERSION,
      position: this.#position,
      numbers: [...this.#numbers],
      state,
      tail: blocksOf(tail).map(({ first, bytes }) => ({ first, bytes })),
      floors: [...floors],
    };
  }

  /** Says that this process is gone, waits until what it appended has come back, and stops. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Whether what is appended will come back, sooner or later. */
  get #takes(): boolean {
    return this.#condition.state === 'open' || this.#condition.state === 'stalled';
  }

  #problem(): string {
    const condition = this.#condition;
    return `the log is ${condition.state}${condition.state === 'open' ? '' : `: ${condition.reason}`}`;
  }

  #append<Kind extends typeof ClaimKind.ProcessCame | typeof ClaimKind.ProcessGone>(
    kind: Kind,
    fields: Parameters<typeof claim<Kind>>[2],
    origin?: Draft['origin'],
  ): void {
    this.append(claim(kind, { at: this.#clock.now(), ...(origin ? { origin } : {}) }, fields));
  }

  #sendNext(): void {
    if (this.#inFlight || this.#pending.isEmpty || !this.#takes) return;
    const [pending] = this.#pending.take(1);
    const number = (this.#numbers.get(this.process) ?? 0) + 1;
    const header = { entries: pending!.entries.length, origin: this.process, number };
    const bytes = encodeBlock(header, pending!.block.bytes);
    this.#inFlight = { pending: pending!, bytes };
    this.#transport.send(bytes);
  }

  #receive(position: number, bytes: Uint8Array): void {
    if (!this.#consumer || position <= this.#position || this.#condition.state === 'failed') return;
    let entries: readonly LogEntry[] | undefined;
    let origin = 0;
    try {
      const header = decodeHeader(bytes);
      ({ origin } = header);
      this.#position = position;
      // One that came before, or that has overtaken another: nobody applies it.
      if (header.number !== (this.#numbers.get(origin) ?? 0) + 1) return;
      this.#numbers.set(origin, header.number);
      const first = position * BLOCK_ENTRIES;
      const records = bytes.subarray(BLOCK_HEADER_BYTES);
      const own = origin === this.process ? this.#inFlight : undefined;
      if (own) this.#inFlight = undefined;
      // What was sent, since a store may bring less of it back: nothing of what is volatile, or has come to nothing.
      entries = own
        ? own.pending.fill(own.bytes.subarray(BLOCK_HEADER_BYTES), first)
        : readBlock(records, first);
    } catch (error) {
      this.#setCondition({ state: 'failed', reason: (error as Error).message });
      return;
    }
    this.#consumer(entries, origin);
    if (origin === this.process) this.#sendNext();
  }

  #refused(origin: number, number: number, reason: string): void {
    if (!this.#consumer || number <= (this.#numbers.get(origin) ?? 0)) return;
    this.#numbers.set(origin, number);
    if (origin !== this.process) return;
    const entries = this.#inFlight?.pending.entries ?? [];
    this.#inFlight = undefined;
    for (const entry of entries) refuse(entry, reason);
    this.#sendNext();
  }

  #setCondition(condition: LogCondition): void {
    if (this.#condition.state === 'failed') return;
    this.#condition = condition;
    if (!this.#takes) {
      // What is under way may still come back: nobody can say what became of it.
      for (const { entries } of this.#pending.take(Number.POSITIVE_INFINITY)) {
        for (const entry of entries) refuse(entry, this.#problem());
      }
    }
    this.onCondition?.(condition);
    if (condition.state === 'failed') this.onFailed?.(condition.reason);
    if (condition.state === 'open') {
      const gone = [...this.#goneLater];
      this.#goneLater.clear();
      for (const process of gone) this.declareGone(process);
    }
    this.#sendNext();
  }

  async #close(): Promise<void> {
    if (this.#consumer && this.#condition.state === 'open' && this.#numbers.has(this.process)) {
      let cancel = (): void => {};
      await new Promise<void>((resolve) => {
        const done = (): void => resolve();
        this.#append(ClaimKind.ProcessGone, { process: this.process }, { appended: done, refused: done });
        this.#isClosing = true;
        cancel = this.#clock.after(CLOSE_MS, done);
      });
      cancel();
    }
    this.#isClosing = true;
    this.#consumer = undefined;
    await this.#transport.close();
  }
}

function refuse({ origin, publishId }: Draft, message: string): void {
  origin?.refused({ code: FailureCode.Unavailable, message, retryAfterMs: RETRY_MS }, publishId);
}
