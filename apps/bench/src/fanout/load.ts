/** The process that loads one server: an audience behind remote calls, or a crowd that does nothing. */

import { serveRemote } from '../harness/remote.js';
import type { Address } from '../harness/server-process.js';
import { fanoutOf } from '../ways/index.js';
import { Audience, openMany, type PacedResult, type WindowResult } from './audience.js';

/** What this process is asked to do. */
export interface LoadOperations {
  connect(params: {
    /** Name of the fan-out. */
    target: string;
    address: Address;
    serverPid: number;
    members: number;
    payloadBytes: number;
    verify: boolean;
  }): Promise<void>;
  window(params: { window: number; durationMs: number }): Promise<WindowResult>;
  paced(params: { ratePerSecond: number; durationMs: number }): Promise<PacedResult>;
  /** Adds connections that stay silent. */
  idle(params: { target: string; address: Address; count: number }): Promise<void>;
  /** How many of those were closed by the server, and why the first one was. */
  lost(params: object): { count: number; why: string };
  [name: string]: (params: never) => unknown;
}

const PAYLOAD_BYTES_OF_THE_IDLE = 64;
const STALL_MS = 40;

let audience: Audience | undefined;
let lostCount = 0;
let whyLost = '';

const operations: LoadOperations = {
  async connect({ target, payloadBytes, ...options }) {
    const wire = fanoutOf(target).fanout.wire(payloadBytes);
    audience = await Audience.connect({ ...options, wire });
    if (options.verify) audience.stall(0, STALL_MS);
  },
  window: ({ window, durationMs }) => audience!.runWindow(window, durationMs),
  paced: ({ ratePerSecond, durationMs }) => audience!.runPaced(ratePerSecond, durationMs),
  async idle({ target, address, count }) {
    const wire = fanoutOf(target).fanout.wire(PAYLOAD_BYTES_OF_THE_IDLE);
    await openMany(address, count, async (socket, index) => {
      await (wire.idle ?? wire.subscribe)(socket, index);
      const scanner = wire.scanner(socket);
      socket.onLost((error) => {
        lostCount++;
        whyLost ||= error.message;
      });
      socket.listen((bytes, length) => void scanner.scan(bytes, 0, length));
    });
    await wire.settled?.(address);
  },
  lost: () => ({ count: lostCount, why: whyLost }),
};

serveRemote(operations);
