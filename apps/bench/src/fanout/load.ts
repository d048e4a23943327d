/** The process that loads one server: an audience behind remote calls, or a crowd that does nothing. */

import { serveRemote } from '../process/remote.js';
import type { Address } from '../process/server-process.js';
import { Audience, type PacedResult, type WindowResult } from './audience.js';
import { SkimSocket } from './skim-socket.js';
import { createWire, type WireName } from './wires/index.js';

/** What this process is asked to do. */
export interface LoadOperations {
  connect(params: {
    wire: WireName;
    address: Address;
    serverPid: number;
    members: number;
    payloadBytes: number;
    verify: boolean;
  }): Promise<void>;
  window(params: { window: number; durationMs: number }): Promise<WindowResult>;
  paced(params: { ratePerSecond: number; durationMs: number }): Promise<PacedResult>;
  /** Adds connections that stay silent. */
  idle(params: { wire: WireName; address: Address; count: number }): Promise<void>;
  /** How many of those were closed by the server, and why the first one was. */
  lost(params: object): { count: number; why: string };
  [name: string]: (params: never) => unknown;
}

const PAYLOAD_BYTES_OF_THE_IDLE = 64;
const CONNECTS_AT_ONCE = 50;
const STALL_MS = 40;

let audience: Audience | undefined;
let idleCount = 0;
let lostCount = 0;
let whyLost = '';

const operations: LoadOperations = {
  async connect({ wire, payloadBytes, ...options }) {
    audience = await Audience.connect({ ...options, wire: createWire(wire, payloadBytes) });
    if (options.verify) audience.stall(0, STALL_MS);
  },
  window: ({ window, durationMs }) => audience!.runWindow(window, durationMs),
  paced: ({ ratePerSecond, durationMs }) => audience!.runPaced(ratePerSecond, durationMs),
  async idle({ wire, address, count }) {
    const entering = createWire(wire, PAYLOAD_BYTES_OF_THE_IDLE);
    for (let left = count; left > 0; left -= CONNECTS_AT_ONCE) {
      await Promise.all(
        Array.from({ length: Math.min(left, CONNECTS_AT_ONCE) }, async () => {
          const socket = await SkimSocket.open(address);
          await entering.idle(socket, idleCount++);
          const scanner = entering.scanner(socket);
          socket.onLost((error) => {
            lostCount++;
            whyLost ||= error.message;
          });
          socket.listen((bytes, length) => void scanner.scan(bytes, 0, length));
        }),
      );
    }
    await entering.settled?.(address);
  },
  lost: () => ({ count: lostCount, why: whyLost }),
};

serveRemote(operations);
