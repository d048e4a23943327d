/**
 * The chat itself. The pair is two clients of `@chat/client` in one room of a server in a third process: what a
 * user pays for names, rooms, order, history and reconnecting, beside the bare socket below it. The fan-out is
 * each dialect of the server, skimmed by raw sockets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '@chat/client';
import { bytesCodec } from '@chat/protocol';
import { chatServerModule } from '../../harness/built-module.js';
import { type Address, type ServerProcess, startServer, tcpOf } from '../../harness/server-process.js';
import { alike, type End, type Line, type Pair, type Way, type Wire } from '../way.js';
import { chatWire } from './frames.js';
import { lineWire } from './lines.js';
import { chatWebSocketWire } from './web-socket-carrier.js';

/** Raised from the default so that a body of 1 MiB fits, header included. */
const MAX_FRAME_BYTES = 2_097_152;
const QUIET = ['--unlimited', '--log-level', 'silent'];

/** Numbers of worker processes that can be measured. */
export const WORKER_COUNTS = [1, 2, 3, 4, 8, 16] as const;
const METRICS_TOKEN = 'of-the-benchmark';
const LOOK_MS = 20;

/** Each transport and each dialect. */
export const chatWays: readonly Way[] = [
  { id: 'chat-unix', pair: pairOver('Unix socket', unixUrl, startOnUnixSocket) },
  {
    id: 'chat-tcp',
    pair: pairOver('TCP', tcpUrl('tcp'), startForPair),
    fanout: fanoutIn('chat', chatWire),
  },
  {
    id: 'chat-websocket',
    pair: pairOver('WebSocket', tcpUrl('ws'), startForPair),
    fanout: fanoutIn('chat (websocket)', chatWebSocketWire),
  },
  { id: 'chat-line', fanout: fanoutIn('chat (line)', lineWire) },
  {
    id: 'chat-process',
    fanout: { ...fanoutIn('chat (process)', chatWire), startServer: startIn('process') },
  },
  { id: 'chat-disk', fanout: { ...fanoutIn('chat (disk)', chatWire), startServer: startIn('disk') } },
  ...WORKER_COUNTS.map((workers) => ({
    id: `chat-workers-${workers}`,
    fanout: { ...fanoutIn(workersName(workers), chatWire), startServer: startWorkers(workers) },
  })),
];

/** Our server with so many worker processes. */
export function workersName(workers: number): string {
  return workers === 1 ? 'chat (1 worker)' : `chat (${workers} workers)`;
}

function pairOver(
  transport: string,
  urlOf: (address: Address) => string,
  startBetween: () => Promise<ServerProcess>,
): Pair {
  return {
    title: `chat over ${transport}`,
    family: 'chat',
    level: 'library',
    polls: false,
    startServer: startBetween,
    ends: alike((end, { server, unique }) => openLine(urlOf(server!), unique, end)),
  };
}

function fanoutIn(name: string, wire: (payloadBytes: number) => Wire): NonNullable<Way['fanout']> {
  return {
    name,
    version: () => 'this commit',
    startServer: (profileFolder) => startChatServer({ nodeArgs: profilingIn(profileFolder) }),
    wire,
  };
}

/** Starts the server with a data folder of its own, which goes with it. */
function startIn(durability: Durability): (profileFolder?: string) => Promise<ServerProcess> {
  return async (profileFolder) => {
    const folder = mkdtempSync(join(tmpdir(), 'chat-bench-'));
    const server = await startStoringChat(durability, { folder, profileFolder });
    return {
      ...server,
      async close() {
        await server.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
}

/** What a message survives before it is acknowledged. */
export type Durability = 'process' | 'disk';

/** Starts the server with its data in `folder`. */
export function startStoringChat(
  durability: Durability,
  { folder, profileFolder }: { readonly folder: string; readonly profileFolder?: string | undefined },
): Promise<ServerProcess> {
  return startChatServer({
    args: ['--data', folder, '--durability', durability],
    nodeArgs: profilingIn(profileFolder),
  });
}

/** Starts the server with workers, and waits until all of them take connections. */
function startWorkers(workers: number): (profileFolder?: string) => Promise<ServerProcess> {
  return async (profileFolder) => {
    const args = ['--workers', String(workers), '--metrics-token', METRICS_TOKEN];
    const server = await startChatServer({ args, nodeArgs: profilingIn(profileFolder) });
    const { host, port } = tcpOf(server.address);
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    for (;;) {
      const text = await (await fetch(`http://${host}:${port}/metrics`, { headers })).text();
      if ([...text.matchAll(/^chat_sessions\{worker=/gm)].length === workers) return server;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
}

function profilingIn(folder: string | undefined): string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

async function openLine(url: string, unique: string, end: End): Promise<Line> {
  const client = await connect(url, {
    name: `${end}-${unique}`,
    maxFrameBytes: MAX_FRAME_BYTES,
    reconnect: { enabled: false },
  });
  const room = await client.join(unique, { codec: bytesCodec, echo: false });
  return {
    send(bytes) {
      // Acknowledgements are awaited by nobody here; what is lost shows at the other end.
      void room.send(bytes.slice());
      return true;
    },
    async receive(listener) {
      for await (const { value } of room.messages()) listener(value, 0, value.length);
    },
    close: () => client.close(),
  };
}

function startForPair(): Promise<ServerProcess> {
  return startChatServer({ args: ['--max-frame-bytes', String(MAX_FRAME_BYTES)] });
}

async function startOnUnixSocket(): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'chat-bench-'));
  const args = ['--max-frame-bytes', String(MAX_FRAME_BYTES)];
  const server = await startChatServer({ args, unixPath: join(folder, 'chat.sock') });
  return {
    ...server,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startChatServer(options: {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly unixPath?: string;
}): Promise<ServerProcess> {
  const { args = [], nodeArgs = [], unixPath } = options;
  return startServer((address) => {
    const port = 'path' in address ? ['0', '--unix', address.path] : [String(address.port)];
    const where = ['--host', '127.0.0.1', '--port', ...port];
    return [process.execPath, ...nodeArgs, chatServerModule(), ...where, ...QUIET, ...args];
  }, unixPath);
}

function tcpUrl(scheme: 'tcp' | 'ws'): (address: Address) => string {
  return (address) => {
    const { host, port } = tcpOf(address);
    return `${scheme}://${host}:${port}`;
  };
}

function unixUrl(address: Address): string {
  if (!('path' in address)) throw new TypeError('a path is needed');
  return `unix:${address.path}`;
}
