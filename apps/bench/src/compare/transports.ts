/** What is compared: every line with a name for people, the server it needs, and what it cannot do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTargets } from '../fanout/targets.js';
import { chatServerModule } from '../process/built-module.js';
import { type ServerProcess, startServer } from '../process/server-process.js';
import type { MechanismName } from './lines/index.js';

/** Families, in the order in which they are shown. */
export const FAMILIES = ['shared memory', 'socket', 'chat', 'Node channel', 'broker'] as const;

/** One family. */
export type Family = (typeof FAMILIES)[number];

/** One line to be measured. */
export interface Transport {
  readonly id: string;
  readonly title: string;
  readonly family: Family;
  /** What a user of our libraries calls, or the mechanism below it. */
  readonly level: 'library' | 'bare' | 'peer';
  readonly mechanism: MechanismName;
  /** Looks for messages all the time instead of sleeping: fast, and a core on each side is busy. */
  readonly polls: boolean;
  /** The far end is a thread of the near end's process. */
  readonly inWorker?: true;
  /** Later values replace earlier ones, so there is nothing to stream. */
  readonly latestOnly?: true;
  /** Starts the server between the ends. */
  readonly startServer?: () => Promise<ServerProcess>;
}

/** Raised from the default so that a body of 1 MiB fits, header included. */
const CHAT_MAX_FRAME_BYTES = 2_097_152;

/** All transports that this machine has, and why others are missing. */
export function findTransports(): { found: Transport[]; missing: string[] } {
  const { found: peers, missing } = findTargets(['redis', 'nats']);
  const brokers = peers.map(
    ({ name, start }): Transport => ({
      id: name,
      title: name === 'redis' ? 'Redis pub/sub' : 'NATS',
      family: 'broker',
      level: 'peer',
      mechanism: name as 'redis' | 'nats',
      polls: false,
      startServer: start,
    }),
  );
  return { found: [...OWN_TRANSPORTS, ...brokers], missing };
}

const OWN_TRANSPORTS: readonly Transport[] = [
  shared('shared-words', 'shared words (polled)', 'bare', true),
  { ...shared('shm-latest', 'latest value (polled)', 'library', true), latestOnly: true },
  shared('shm-channel-polled', 'channel (polled)', 'library', true),
  shared('shm-log-polled', 'log (polled)', 'library', true),
  shared('shm-channel', 'channel (doorbell)', 'library', false),
  shared('shm-log', 'log (doorbell)', 'library', false),
  socket('unix', 'Unix socket'),
  socket('tcp', 'TCP'),
  socket('websocket', 'WebSocket'),
  chat('chat-unix', 'chat over Unix socket', 'unix'),
  chat('chat-tcp', 'chat over TCP', 'tcp'),
  chat('chat-websocket', 'chat over WebSocket', 'tcp'),
  {
    id: 'process-send',
    title: 'process.send',
    family: 'Node channel',
    level: 'bare',
    mechanism: 'channel',
    polls: false,
  },
  {
    id: 'message-port',
    title: 'MessagePort (threads)',
    family: 'Node channel',
    level: 'bare',
    mechanism: 'channel',
    polls: false,
    inWorker: true,
  },
];

function shared(
  mechanism: MechanismName,
  title: string,
  level: Transport['level'],
  polls: boolean,
): Transport {
  return { id: mechanism, title, family: 'shared memory', level, mechanism, polls };
}

function socket(mechanism: MechanismName, title: string): Transport {
  return { id: mechanism, title, family: 'socket', level: 'bare', mechanism, polls: false };
}

function chat(mechanism: MechanismName, title: string, over: 'tcp' | 'unix'): Transport {
  return {
    id: mechanism,
    title,
    family: 'chat',
    level: 'library',
    mechanism,
    polls: false,
    startServer: () => startChatServer(over),
  };
}

async function startChatServer(over: 'tcp' | 'unix'): Promise<ServerProcess> {
  const limits = ['--unlimited', '--log-level', 'silent', '--max-frame-bytes', String(CHAT_MAX_FRAME_BYTES)];
  const folder = over === 'unix' ? mkdtempSync(join(tmpdir(), 'chat-bench-')) : undefined;
  const server = await startServer((address) => {
    const where =
      'path' in address
        ? ['--host', '127.0.0.1', '--port', '0', '--unix', address.path]
        : ['--host', '127.0.0.1', '--port', String(address.port)];
    return [process.execPath, chatServerModule(), ...where, ...limits];
  }, folder && join(folder, 'chat.sock'));
  return {
    ...server,
    async close() {
      await server.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
