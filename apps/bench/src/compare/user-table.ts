/**
 * The five rows in which sockets and shared memory are usually compared, with what was measured in the place of
 * adjectives.
 */
import type { CompareReport } from './figures.js';
import { Quotes } from './quotes.js';

/** One row: what people usually say, and what this run says. */
export interface UserRow {
  readonly feature: string;
  readonly claimSockets: string;
  readonly claimSharedMemory: string;
  readonly sockets: string;
  readonly sharedMemory: string;
}

/** Makes the rows from a report; what was not measured is said to be so. */
export function userRows(report: CompareReport): UserRow[] {
  const quotes = new Quotes(report);
  return [
    {
      feature: 'scope',
      claimSockets: 'different machines',
      claimSharedMemory: 'same machine only',
      sockets: 'any machine that can be reached: TCP, WebSocket, TLS; Unix sockets on the same one',
      sharedMemory: 'processes of one machine that see the same folder',
    },
    {
      feature: 'speed',
      claimSockets: 'slower (network)',
      claimSharedMemory: 'very fast',
      sockets: `round trip ${quotes.roundTrip('tcp')} bare, ${quotes.roundTrip('chat-tcp')} through the chat; up to ${quotes.mostMessages('tcp')}`,
      sharedMemory: `round trip ${quotes.roundTrip('shm-channel-polled')} polled, ${quotes.roundTrip('shm-channel')} woken; up to ${quotes.mostMessages('shm-channel-polled')}`,
    },
    {
      feature: 'complexity',
      claimSockets: 'higher',
      claimSharedMemory: 'lower',
      sockets: `protocol ${quotes.code('protocol')}; server ${quotes.code('server')}; client ${quotes.code('client')}`,
      sharedMemory: `${quotes.code('shared memory')}, and the order of every store to be argued`,
    },
    {
      feature: 'scalability',
      claimSockets: 'high',
      claimSharedMemory: 'limited',
      sockets: `${quotes.fanOut()}; ${quotes.memory('chat')} for an idle one`,
      sharedMemory: `${quotes.logFanOut()}; ends at the machine`,
    },
    {
      feature: 'use case',
      claimSockets: 'distributed systems',
      claimSharedMemory: 'local IPC',
      sockets: 'people and programs that come and go, anywhere; names, rooms, history, resume',
      sharedMemory: 'few programs on one machine that exchange much, or need the answer in microseconds',
    },
  ];
}
