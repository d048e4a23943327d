/** The servers that are compared: how each is started, and which protocol its load speaks. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { builtModule, chatServerModule } from '../process/built-module.js';
import { type Address, findProgram, type ServerProcess, startServer } from '../process/server-process.js';
import type { WireName } from './wires/index.js';

/** One server. */
export interface Target {
  readonly name: string;
  readonly wire: WireName;
  readonly version: string;
  start(): Promise<ServerProcess>;
}

/** Names that can be given to {@link findTargets}. */
export const PEER_NAMES = ['ws', 'socket.io', 'redis', 'nats'] as const;

/** Name of something to compare with. */
export type PeerName = (typeof PEER_NAMES)[number];

/** How the load talks to our server. */
export type ChatDialect = 'binary' | 'websocket' | 'line';

const WIRE_OF_DIALECT: Readonly<Record<ChatDialect, WireName>> = {
  binary: 'chat',
  websocket: 'chat-websocket',
  line: 'chat-line',
};

/**
 * Our server.
 *
 * @param profileFolder - where Node leaves a CPU profile of it when it ends
 */
export function chatTarget(dialect: ChatDialect, profileFolder?: string): Target {
  return {
    name: dialect === 'binary' ? 'chat' : `chat (${dialect})`,
    wire: WIRE_OF_DIALECT[dialect],
    version: 'this commit',
    start: () =>
      startServer((address) => [
        process.execPath,
        ...(profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]),
        chatServerModule(),
        '--host',
        '127.0.0.1',
        '--port',
        String(portOf(address)),
        '--unlimited',
        '--log-level',
        'silent',
      ]),
  };
}

/**
 * The peers that this machine has.
 *
 * @returns those found, and for each missing one a line that says why
 */
export function findTargets(names: readonly PeerName[]): { found: Target[]; missing: string[] } {
  const found: Target[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const target = findPeer(name);
    if (target) found.push(target);
    else missing.push(`${name}: no ${name}-server on the PATH`);
  }
  return { found, missing };
}

function findPeer(name: PeerName): Target | undefined {
  switch (name) {
    case 'ws':
      return {
        name,
        wire: 'ws',
        version: packageVersion('ws'),
        start: () =>
          startServer((address) => [process.execPath, builtModule('ws-server'), String(portOf(address))]),
      };
    case 'socket.io':
      return {
        name,
        wire: 'socket.io',
        version: packageVersion('socket.io'),
        start: () =>
          startServer((address) => [
            process.execPath,
            builtModule('socket-io-server'),
            String(portOf(address)),
          ]),
      };
    case 'redis': {
      const program = findProgram('redis-server');
      return program === undefined
        ? undefined
        : {
            name,
            wire: 'redis',
            version: programVersion(program),
            start: () =>
              startServer((address) => [
                program,
                '--port',
                String(portOf(address)),
                '--bind',
                '127.0.0.1',
                '--save',
                '',
                '--appendonly',
                'no',
              ]),
          };
    }
    case 'nats': {
      const program = findProgram('nats-server');
      return program === undefined
        ? undefined
        : {
            name,
            wire: 'nats',
            version: programVersion(program),
            start: () =>
              startServer((address) => [program, '-a', '127.0.0.1', '-p', String(portOf(address))]),
          };
    }
  }
}

function portOf(address: Address): number {
  if ('path' in address) throw new TypeError('this server is started on TCP only');
  return address.port;
}

function packageVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return version;
}

function programVersion(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text.trim();
}
