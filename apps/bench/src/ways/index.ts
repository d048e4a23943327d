/** All ways by name, since a name is all that can be told to another process. */
import { findProgram } from '../harness/server-process.js';
import { nats } from './brokers/nats.js';
import { redis } from './brokers/redis.js';
import { chatWays } from './chat/chat.js';
import { nodeChannelWays } from './node-channel.js';
import { iteratedChannel, polledChannel, sleepingChannel } from './shared-memory/channel.js';
import { latestValue } from './shared-memory/latest.js';
import { logReaders, polledLog, sleepingLog } from './shared-memory/log.js';
import { ringWays } from './shared-memory/ring.js';
import { sharedWords } from './shared-memory/words.js';
import { bareFanout, tcpEnds, unixEnds } from './sockets/bare.js';
import { socketIoFanout } from './sockets/socket-io.js';
import { webSocketEnds, wsFanout } from './sockets/web-socket.js';
import type { Ends, Fanout, Pair, Way } from './way.js';

/** A way that has a pair. */
export type PairWay = Way & { readonly pair: Pair };
/** A way that has a fan-out. */
export type FanoutWay = Way & { readonly fanout: Fanout };

/** What the comparison shows, in its order; the last two need a program. */
const COMPARED: readonly Way[] = [
  sharedWords,
  latestValue,
  polledChannel,
  polledLog,
  sleepingChannel,
  sleepingLog,
  { id: 'unix', pair: socketPair('Unix socket', unixEnds) },
  { id: 'tcp', pair: socketPair('TCP', tcpEnds), fanout: bareFanout },
  { id: 'websocket', pair: socketPair('WebSocket', webSocketEnds), fanout: wsFanout },
  ...chatWays,
  ...nodeChannelWays,
  redis,
  nats,
];
const WAYS: readonly Way[] = [
  ...COMPARED,
  { id: 'socket.io', fanout: socketIoFanout },
  ...ringWays,
  iteratedChannel,
  logReaders,
];

/** What can be set beside our server in a fan-out, by the names of {@link Fanout}. */
export const PEER_NAMES = ['bare', 'ws', 'socket.io', 'redis', 'nats'] as const;
/** Name of something to compare with. */
export type PeerName = (typeof PEER_NAMES)[number];

/** Finds a pair by its id. @throws RangeError when there is none */
export function pairOf(id: string): PairWay {
  const way = WAYS.find((row) => row.id === id);
  if (!way?.pair) throw new RangeError(`no pair called ${id}`);
  return { ...way, pair: way.pair };
}

/** Finds a fan-out by its name. @throws RangeError when there is none */
export function fanoutOf(name: string): FanoutWay {
  const way = WAYS.find((row) => row.fanout?.name === name);
  if (!way?.fanout) throw new RangeError(`no fan-out called ${name}`);
  return { ...way, fanout: way.fanout };
}

/** The pairs of the comparison that this machine has, and why others are missing. */
export function findPairs(): { found: PairWay[]; missing: string[] } {
  return available(COMPARED.filter((way) => way.pair).map(({ id }) => pairOf(id)));
}

/** The peers of a fan-out that this machine has, and why others are missing. */
export function findPeers(names: readonly PeerName[]): { found: FanoutWay[]; missing: string[] } {
  return available(names.map(fanoutOf));
}

function available<T extends Way>(ways: readonly T[]): { found: T[]; missing: string[] } {
  const isThere = ({ program }: Way): boolean => program === undefined || findProgram(program) !== undefined;
  return {
    found: ways.filter(isThere),
    missing: ways.filter((way) => !isThere(way)).map(({ id, program }) => `${id}: no ${program} on the PATH`),
  };
}

function socketPair(title: string, ends: Ends): Pair {
  return { title, family: 'socket', level: 'bare', polls: false, ends };
}
