/** The chat without a socket: peers over memory links, time by hand, fan-out at the end of each turn. */
import type { Hello } from '@chat/protocol/frames';
import { BinaryPeer } from '../../src/dialects/binary/binary-peer.js';
import { LineDialect } from '../../src/dialects/line/line-dialect.js';
import type { SessionInfo } from '../../src/options/hooks.js';
import { type ChatServerOptions, resolveOptions } from '../../src/options/options.js';
import { createCore, type ServerCore } from '../../src/server/core.js';
import type { SessionEvents } from '../../src/session/sessions.js';
import { LogLines } from './log-lines.js';
import { ManualClock } from './manual-clock.js';
import { MemoryLink } from './memory-link.js';
import { type Pipe, WireClient, type WireClientOptions } from './wire-client.js';

export interface MemoryClient extends WireClient {
  readonly link: MemoryLink;
}

export class MemoryChat {
  readonly clock: ManualClock = new ManualClock();
  readonly log: LogLines = new LogLines();
  readonly events: (readonly [keyof SessionEvents, string])[] = [];
  /** What the listener of each of these was told; they are the events of sessions. */
  readonly infos: SessionInfo[] = [];
  readonly chat: ServerCore;
  readonly #lines: LineDialect;

  private constructor(options: ChatServerOptions) {
    const resolved = resolveOptions({ clock: this.clock, logger: this.log, ...options });
    this.chat = createCore(resolved, (name, info) => {
      if (!name.startsWith('session-')) return;
      this.events.push([name, info.name]);
      this.infos.push(info);
    });
    this.#lines = new LineDialect(this.chat);
  }

  static async open(options: ChatServerOptions = {}): Promise<MemoryChat> {
    const memory = new MemoryChat(options);
    await memory.chat.open();
    return memory;
  }

  /** A connection that has said nothing yet. */
  connect(options: WireClientOptions & { readonly address?: string } = {}): MemoryClient {
    const link = new MemoryLink(options.address);
    new BinaryPeer(this.chat, link, { dialect: 'binary', preface: true });
    return Object.assign(new WireClient(pipeOf(link), options), { link });
  }

  /** A member. */
  async enter(
    hello: (Partial<Hello> & { readonly name: string }) | string,
    options: WireClientOptions & { readonly address?: string } = {},
  ): Promise<MemoryClient> {
    const client = this.connect(options);
    await client.enter(typeof hello === 'string' ? { name: hello } : hello);
    return client;
  }

  /** A connection of the line dialect: what it received so far is in `text`, or undecoded in `bytes`. */
  connectLine(address?: string): {
    readonly link: MemoryLink;
    readonly text: () => string;
    readonly bytes: () => Buffer;
    send(text: string): void;
  } {
    const link = new MemoryLink(address);
    let text = '';
    const chunks: Uint8Array[] = [];
    const decoder = new TextDecoder();
    link.onOutput = (bytes) => {
      text += decoder.decode(bytes, { stream: true });
      chunks.push(bytes);
    };
    this.#lines.open(link);
    return {
      link,
      text: () => text,
      bytes: () => Buffer.concat(chunks),
      send: (line) => link.receive(new TextEncoder().encode(line)),
    };
  }
}

/** The other side of a memory link. */
export function pipeOf(link: MemoryLink): Pipe {
  const pipe: Pipe = {
    write: (bytes) => link.receive(Uint8Array.from(bytes)),
    end: () => link.receiveEnd(),
    destroy: () => link.destroy(),
    pause: () => link.stall(),
    resume: () => link.flow(),
    onBytes: () => {},
    onClose: () => {},
  };
  link.onOutput = (bytes) => pipe.onBytes(bytes);
  link.onEnded = () => pipe.onClose();
  return pipe;
}
