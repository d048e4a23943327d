/**
 * What a log that several processes share is made of: something that brings blocks of bytes to all of them, in one order.
 * Everything else is done by `BlockLog`: a transport knows nothing of entries.
 *
 * A transport may bring a block twice, and bring one behind a later one of the same process: such a block is not
 * applied, by anybody. It must not lose one that somebody was shown, and must not show two processes another order.
 */
import type { Durability, LogCondition } from '../event-log.js';
import type { StateSnapshot } from '../state/chat-state.js';

/** Brings blocks to every process, this one included. */
export interface BlockTransport {
  /** What a block has survived when it is delivered. @defaultValue 'none' */
  readonly durability?: Durability;
  /** Finds the stream, and what is known of its past. Called once, first. */
  open(): Promise<OpenedStream>;
  /** Delivers every block behind the position of the snapshot; without one, from the first on. Called once. */
  start(receiver: BlockReceiver): void;
  /**
   * Sends a block of at most 1 MiB, or a little more than the largest message, whatever is more. The next one is sent once this one has
   * come back, so one is under way at a time. Must not throw. The bytes are not written again.
   */
  send(block: Uint8Array): void;
  /** Stops delivery. Called once, last. */
  close(): void | Promise<void>;
}

/** What is known of a stream when it is opened. */
export interface OpenedStream {
  /** Names one life of the stream: another one begins when something of it was lost. */
  readonly epoch: string;
  /** What came before; absent where the stream is read from its first block. */
  readonly snapshot?: BlockSnapshot | undefined;
  /** Processes that are known to be gone, and may not have been declared gone by anybody. */
  readonly gone?: readonly number[];
}

/** Takes what a transport delivers. */
export interface BlockReceiver {
  /**
   * The next block.
   *
   * @param position from 1 on, below 2^38, rising by at least one from block to block, and the same for all processes
   * @param bytes borrowed for the call
   */
  block(position: number, bytes: Uint8Array): void;
  /** Nobody knows whether the block that was sent last has arrived, as after a connection broke: sends it again. */
  resend(): void;
  /**
   * A block was refused by what the stream is made of, as a disk that is full: nobody will ever get it, also when it comes
   * again. All processes have to be told so at the same place of the stream.
   *
   * @param origin the process that sent it
   * @param number of the block among those of that process
   */
  refused(origin: number, number: number, reason: string): void;
  /** Whether the stream can be used. When it has failed, nothing comes any more. */
  condition(condition: LogCondition): void;
}

/** Version of {@link BlockSnapshot}. */
export const SNAPSHOT_VERSION = 1;

/** All that a process has to know of the past, as values that `structuredClone` takes. */
export interface BlockSnapshot {
  /** 1. One with another version is not read. */
  readonly version: number;
  /** Position of the last block that is in it. */
  readonly position: number;
  /** The number of the last block of each process. */
  readonly numbers: readonly (readonly [origin: number, number: number])[];
  readonly state: StateSnapshot;
  /** What people said last, oldest first: blocks, and the position from which each counts. */
  readonly tail: readonly { readonly first: number; readonly bytes: Uint8Array }[];
  readonly floors: readonly (readonly [key: string, position: number])[];
}
