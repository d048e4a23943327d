/**
 * A way to talk: how two ends of it talk to each other, and how one publishes to many over it.
 *
 * Each way is one file in the folders beside this one, written as a user of that mechanism would write it. The
 * comparison takes its `pair`, the fan-out benchmark its `fanout`; both start the same server for it.
 */
import type { Address, ServerProcess } from '../harness/server-process.js';
import type { ByteSink, PayloadListener, Scanner } from './stream/frame-scanner.js';
import type { SkimSocket } from './stream/skim-socket.js';

/** What a way is made of. */
export type Family = 'shared memory' | 'socket' | 'chat' | 'Node channel' | 'broker';

/** One way to talk, by the name that options and other processes use. */
export interface Way {
  readonly id: string;
  /** A program that must be on the PATH. */
  readonly program?: string;
  readonly pair?: Pair;
  readonly fanout?: Fanout;
}

/** Two ends that talk to each other, in two processes. */
export interface Pair {
  /** Name for people. */
  readonly title: string;
  readonly family: Family;
  /** What a user of our libraries calls, the mechanism below it, or somebody else's. */
  readonly level: 'library' | 'bare' | 'peer';
  /** Looks for messages all the time instead of sleeping: fast, and a core on each side is busy. */
  readonly polls: boolean;
  /** The far end is a thread of the near end's process. */
  readonly inWorker?: true;
  /** Later values replace earlier ones, so there is nothing to stream. */
  readonly latestOnly?: true;
  /** Starts the server between the ends. */
  readonly startServer?: () => Promise<ServerProcess>;
  readonly ends: Ends;
}

/** How the two ends of a pair open. */
export interface Ends {
  /** The near end drives the measurement. */
  openNear(context: NearContext): Promise<Line>;
  /** The far end answers, in a process of its own; `params` are those given to `startFar`. */
  openFar(params: never, channel: FarChannel): Promise<Line>;
}

/** One end of an open pair: the least that every way can do, so that one measurement fits them all. */
export interface Line {
  /**
   * Sends one message. The bytes are the caller's again when this returns.
   *
   * @returns false when the line is full: nothing was sent, try again later
   */
  send(bytes: Uint8Array): boolean;
  /** Names the one listener. */
  receive(listener: PayloadListener): void;
  /**
   * Looks for messages and hands them to the listener. Only lines that must be polled have this; the others
   * wake the event loop by themselves.
   *
   * @returns whether there was one
   */
  readonly poll?: () => boolean;
  /** Shows the other end what `send` has gathered. Only lines that gather messages until then have this. */
  readonly flush?: () => void;
  /** Resolves when a line that was full may have room. A line without this is tried again in the next turn. */
  readonly room?: () => Promise<unknown>;
  close(): Promise<void>;
}

/** What both ends of a pair know; it is sent to the far end as it is. */
export interface PairParams {
  /** Text that no other line on this machine has. */
  readonly unique: string;
  /** The largest message that will be sent. */
  readonly maxMessageBytes: number;
  /** Readers at the far end, for lines that can have many. */
  readonly readers: number;
  /** The server between the two ends, for lines that have one. */
  readonly server: Address | undefined;
}

/** What the near end has at hand when it opens. */
export interface NearContext extends PairParams {
  /** A folder for sockets, removed afterwards. */
  readonly folder: string;
  /** Starts the far end with these parameters; resolves when it has opened its line. */
  startFar(params: unknown): Promise<FarChannel>;
}

/** What connects the two processes anyway: how they are started and stopped, and all that some lines need. */
export interface FarChannel {
  post(bytes: Uint8Array): void;
  onBytes(listener: PayloadListener): void;
}

/** Which end of a pair. */
export type End = 'near' | 'far';

/** Ends that open alike and find each other by name; the near one opens first. */
export function alike(open: (end: End, params: PairParams) => Line | Promise<Line>): Ends {
  return {
    async openNear({ unique, maxMessageBytes, readers, server, startFar }) {
      const params: PairParams = { unique, maxMessageBytes, readers, server };
      const line = await open('near', params);
      await startFar(params);
      return line;
    },
    openFar: async (params: PairParams) => open('far', params),
  };
}

/** One publisher and many subscribers at one server. */
export interface Fanout {
  /** Name in tables and options. */
  readonly name: string;
  readonly version: () => string;
  /** @param profileFolder - where Node leaves a CPU profile of the server when it ends; only for ours */
  startServer(profileFolder?: string): Promise<ServerProcess>;
  /** The protocol, for bodies of this size. */
  wire(payloadBytes: number): Wire;
}

/** A publish, ready to be repeated: the load copies it, writes the number in and sends. */
export interface PublishFrame {
  readonly bytes: Uint8Array;
  /** Where the payload begins, see `stream/payload.ts`. */
  readonly payloadOffset: number;
  /** Writes what else differs from message to message. Numbers begin at 1. */
  readonly stamp?: (bytes: Uint8Array, offset: number, number: number) => void;
  /** How many messages the server takes ahead of its acknowledgement. */
  readonly maxInFlight?: number;
}

/** What the load must know of a protocol, for bodies of a fixed size in one room. */
export interface Wire {
  /** Connects what listens: resolves when everything published from now on will arrive. */
  subscribe(socket: SkimSocket, index: number): Promise<void>;
  /** Connects what publishes. */
  enter(socket: SkimSocket): Promise<PublishFrame>;
  /** Connects a client that does nothing, where that is not the same as a subscriber. */
  idle?(socket: SkimSocket, index: number): Promise<void>;
  /** Waits until the server has taken in all that entered; only where `idle` has no answer to wait for. */
  readonly settled?: (address: Address) => Promise<void>;
  /**
   * Makes the scanner of one connection. It answers pings by itself.
   *
   * @param check - given the payload of every message; makes the scanner look at every byte
   */
  scanner(socket: ByteSink, check?: PayloadListener): Scanner;
}

/** Room, channel or subject of every fan-out. */
export const ROOM = 'room';
