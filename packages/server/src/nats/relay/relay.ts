/**
 * The stream of a chat, for one process that speaks with NATS on behalf of others of its machine: it sends their blocks, and
 * hands on every block of the stream, in order. It applies none, so what it does not know it asks of those that do.
 */
import type { LogCondition } from '../../log/event-log.js';
import { decodeHeader } from '../../log/shared/block-header.js';
import type { BlockSnapshot } from '../../log/shared/block-transport.js';
import type { Heartbeats } from '../heartbeats.js';
import type { NatsLogOptions } from '../nats-options.js';
import { type OpenedNats, openNats } from '../open.js';
import { Present } from './present.js';

/** Options of {@link openNatsRelay}. */
export interface NatsRelayOptions extends NatsLogOptions {
  /**
   * Position of the last block that was handed on by a relay which was killed; this one hands on what comes behind it.
   *
   * @defaultValue that of the newest snapshot
   */
  readonly after?: number;
}

/** Takes what a relay hands on. */
export interface NatsRelayReceiver {
  /** The next block; its bytes are borrowed for the call. Positions are those of `BlockReceiver`. */
  block(position: number, bytes: Uint8Array): void;
  /** Whether the stream can be used. When it has failed, nothing comes any more. */
  condition(condition: LogCondition): void;
  /** A process of another machine has been silent for too long, and is to be declared gone. */
  gone(process: number): void;
  /**
   * Asks one of the processes here for a snapshot: of the moment at which it has applied the block that was handed on last
   * when this is called, and no later one.
   *
   * @returns `undefined` where it cannot be had
   */
  snapshot(process: number): Promise<BlockSnapshot | undefined>;
}

/** How a relay is doing. */
export interface NatsRelayStats {
  /** Position of the last message that was read. */
  readonly position: number;
  /** Blocks that were sent, repeats included. */
  readonly sent: number;
  /** Blocks that were sent and have not come back. */
  readonly underWay: number;
}

/** The stream of a chat on behalf of other processes. Made by {@link openNatsRelay}. */
export interface NatsRelay {
  /** Names the life of the stream. */
  readonly epoch: string;
  /** What came before the first block that is handed on; absent where that is the first of the stream. */
  readonly snapshot: BlockSnapshot | undefined;
  readonly stats: NatsRelayStats;
  /** Hands on what comes from here on. To be called once. */
  start(receiver: NatsRelayReceiver): void;
  /** Which processes of this machine take part: this one says for them that they are here. */
  speakFor(processes: readonly number[]): void;
  /** Sends a block; a process has one under way at a time. It is sent again until it comes back. The bytes are kept. */
  send(block: Uint8Array): void;
  /** Stops, and closes the connection. */
  close(): Promise<void>;
}

/**
 * Connects to NATS as `openNatsLog` does, for processes that speak with NATS through this one.
 *
 * @throws ServerError as `openNatsLog` does; `ERR_SERVER_NATS_STREAM` also when what comes behind `after` cannot be read any more
 */
export async function openNatsRelay(options: NatsRelayOptions): Promise<NatsRelay> {
  const { after, ...rest } = options;
  return new StreamRelay(await openNats(rest, after), after);
}

class StreamRelay implements NatsRelay {
  readonly epoch: string;
  readonly snapshot: BlockSnapshot | undefined;
  readonly #opened: OpenedNats;
  readonly #after: number;
  readonly #heartbeats: Heartbeats;
  /** Processes that ever appended something, in the order of their coming. */
  readonly #origins: Set<number>;
  /** Not asked any more once it was. */
  #present: Present | undefined;
  /** Processes of this machine. */
  #own: readonly number[] = [];
  #receiver: NatsRelayReceiver | undefined;

  constructor(opened: OpenedNats, after: number | undefined) {
    const { beginning, beat } = opened;
    const blocks = beginning.snapshot?.blocks;
    this.#opened = opened;
    this.epoch = beginning.epoch.name;
    this.snapshot = blocks;
    this.#after = after ?? blocks?.position ?? 0;
    this.#origins = new Set(blocks?.numbers.map(([origin]) => origin));
    this.#present = new Present(blocks?.state.processes ?? []);
    this.#heartbeats = beat({
      own: () => this.#own,
      present: () => this.#takePresent(),
      gone: (process) => this.#receiver?.gone(process),
    });
  }

  get stats(): NatsRelayStats {
    const { position, sendings } = this.#opened.transport;
    return { position, ...sendings };
  }

  start(receiver: NatsRelayReceiver): void {
    this.#receiver = receiver;
    const { transport, writer: writerOf } = this.#opened;
    const writer = writerOf({
      isOldest: () => this.#own.includes(this.#oldest ?? 0),
      take: () => receiver.snapshot(this.#oldest ?? 0),
    });
    transport.onBlock = (origin, position) => {
      if (!this.#own.includes(origin)) this.#heartbeats.heard(origin);
      if (position > this.#after) writer.passed(position);
    };
    transport.onClose = () => this.#heartbeats.stop();
    transport.start({
      block: (position, bytes) => this.#block(position, bytes),
      resend: () => {},
      refused: () => {},
      condition: (condition) => receiver.condition(condition),
    });
    this.#heartbeats.start();
  }

  speakFor(processes: readonly number[]): void {
    this.#own = [...processes];
  }

  send(block: Uint8Array): void {
    this.#opened.transport.send(block);
  }

  async close(): Promise<void> {
    this.#receiver = undefined;
    await this.#opened.transport.close();
  }

  /** The process that has been here for longest, of those that are heard. */
  get #oldest(): number | undefined {
    for (const origin of this.#origins) if (this.#heartbeats.hears(origin)) return origin;
    return undefined;
  }

  #block(position: number, bytes: Uint8Array): void {
    try {
      const { origin } = decodeHeader(bytes);
      this.#origins.add(origin);
      this.#present?.take(origin, bytes);
    } catch {
      // Those who apply it find the same, and say so.
    }
    if (position > this.#after) this.#receiver?.block(position, bytes);
  }

  #takePresent(): readonly number[] {
    const processes = this.#present?.processes ?? [];
    this.#present = undefined;
    return processes;
  }
}
