/**
 * The five rows in which sockets and shared memory are usually compared, with what was measured in the place of
 * adjectives.
 */
import { formatBytes, formatCount, formatNs } from '../units.js';
import type { CompareReport, TransportFigure } from './figures.js';

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
  const find = (id: string): TransportFigure | undefined => report.transports.find((row) => row.id === id);
  const tcp = find('tcp');
  const chat = find('chat-tcp');
  const channel = find('shm-channel');
  const polled = find('shm-channel-polled');
  const p50 = (row: TransportFigure | undefined): string => formatNs(row?.roundTrip?.summary.p50Ns);
  const most = (row: TransportFigure | undefined): string =>
    formatCount(
      row && row.throughput.length > 0
        ? Math.max(...row.throughput.map((figure) => figure.messagesPerSecond.median))
        : undefined,
    );
  const code = (part: string): string => {
    const count = report.code.find((row) => row.part === part);
    return count ? `${count.codeLines} lines, ${count.exports} names` : 'not counted';
  };
  const largestFanout = [...report.fanout.windows]
    .filter((row) => row.target === 'chat')
    .sort((left, right) => right.members - left.members)[0];
  const largestLog = [...report.logReaders].sort((left, right) => right.readers - left.readers)[0];
  const perConnection = report.memory.find((row) => row.target === 'chat')?.perConnectionBytes;
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
      sockets: `round trip ${p50(tcp)} bare, ${p50(chat)} through the chat; up to ${most(tcp)} messages/s`,
      sharedMemory: `round trip ${p50(polled)} asked, ${p50(channel)} woken; up to ${most(polled)} messages/s`,
    },
    {
      feature: 'complexity',
      claimSockets: 'higher',
      claimSharedMemory: 'lower',
      sockets: `protocol ${code('protocol')}; server ${code('server')}; client ${code('client')}`,
      sharedMemory: `${code('shared memory')}, and the order of every store to be argued`,
    },
    {
      feature: 'scalability',
      claimSockets: 'high',
      claimSharedMemory: 'limited',
      sockets: largestFanout
        ? `${formatCount(largestFanout.deliveriesPerSecond.median)} deliveries/s to ${largestFanout.members} members; ${formatBytes(perConnection)} for an idle one`
        : 'not measured',
      sharedMemory: largestLog
        ? `${formatCount(largestLog.deliveriesPerSecond.median)} deliveries/s to ${largestLog.readers} readers of one log; ends at the machine`
        : 'not measured',
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
