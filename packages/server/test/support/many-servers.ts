/** Several servers over one stream in the heap, each with connections of its own. */
import type { Hello, Welcome } from '@chat/protocol/frames';
import { type BlockLog, createBlockLog } from '../../src/log/shared/block-log.js';
import { type ChatServerOptions, UNLIMITED } from '../../src/options/options.js';
import { ManualClock } from './manual-clock.js';
import { MemoryChat, type MemoryClient } from './memory-chat.js';
import {
  type Mischief,
  SharedStream,
  type StreamTransport,
  type StreamTransportOptions,
} from './shared-stream.js';

/** One of them. */
export interface OneOfMany {
  readonly memory: MemoryChat;
  readonly log: BlockLog;
  readonly transport: StreamTransport;
}

export class ManyServers {
  readonly stream: SharedStream;
  readonly clock: ManualClock = new ManualClock();
  readonly all: OneOfMany[] = [];
  readonly #options: ChatServerOptions;

  constructor(options: ChatServerOptions = {}, mischief?: Mischief) {
    this.stream = new SharedStream(mischief);
    this.#options = options;
  }

  static async open(count: number, options?: ChatServerOptions, mischief?: Mischief): Promise<ManyServers> {
    const many = new ManyServers(options, mischief);
    for (let i = 0; i < count; i++) await many.start();
    return many;
  }

  /** One more of them. */
  async start(more: StreamTransportOptions & { readonly process?: number } = {}): Promise<OneOfMany> {
    const transport = this.stream.transport(more);
    const process = more.process ?? this.all.length + 1;
    const log = createBlockLog(transport, { clock: this.clock, process });
    const memory = await MemoryChat.open({ ...UNLIMITED, ...this.#options, clock: this.clock, log });
    const one = { memory, log, transport };
    this.all.push(one);
    return one;
  }

  /** A process is killed, and somebody who noticed says so. */
  kill(index: number, by: number): void {
    const { transport, log } = this.all[index]!;
    transport.kill();
    this.all[by]!.log.declareGone(log.process);
  }
}

/** The hello with which `client` comes back, from where it is in each room. */
export function helloOf(
  client: MemoryClient,
  rooms: NonNullable<Hello['resume']>['rooms'],
  more: Partial<Hello> = {},
): Hello {
  const { session, secret, epoch, member } = client.welcome!;
  const inbox = Math.max(0, ...client.entries(client.welcome!.inbox.handle).map(({ seq }) => seq));
  return {
    name: member.name,
    maxFrameBytes: 65_536,
    resume: { session, secret, epoch, rooms, inbox },
    ...more,
  };
}

/** Comes back at another process; answers the new connection. */
export async function comeBackAt(
  { memory }: OneOfMany,
  client: MemoryClient,
  rooms: NonNullable<Hello['resume']>['rooms'],
  more: Partial<Hello> = {},
): Promise<MemoryClient & { readonly welcome: Welcome }> {
  const again = memory.connect();
  await again.enter(helloOf(client, rooms, more));
  // Direct messages that it knows already count as seen by this connection.
  return again as MemoryClient & { readonly welcome: Welcome };
}

/** The position of the last entry of a room that a client has. */
export function lastSeq(client: MemoryClient, handle: number): number {
  return client.entries(handle).at(-1)?.seq ?? 0;
}
