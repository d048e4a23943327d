/**
 * The chat itself as a line: two clients of `@chat/client` in one room of a server in a third process. This is
 * what a user pays for names, rooms, order, history and reconnecting, beside the bare socket below it.
 */
import { type ChatClient, connect, type Room } from '@chat/client';
import { bytesCodec } from '@chat/protocol';
import type { Address } from '../../process/server-process.js';
import type { Line, LineListener, Mechanism } from '../line.js';

interface Params {
  readonly url: string;
  readonly unique: string;
}

/** More than the largest measured message with its header. */
const MAX_FRAME_BYTES = 2_097_152;

export const chatTcpMechanism: Mechanism = chatMechanism((server) => {
  if ('path' in server) throw new TypeError('a TCP address is needed');
  return `tcp://${server.host}:${server.port}`;
});

export const chatWebSocketMechanism: Mechanism = chatMechanism((server) => {
  if ('path' in server) throw new TypeError('a TCP address is needed');
  return `ws://${server.host}:${server.port}`;
});

export const chatUnixMechanism: Mechanism = chatMechanism((server) => {
  if (!('path' in server)) throw new TypeError('a path is needed');
  return `unix:${server.path}`;
});

function chatMechanism(urlOf: (server: Address) => string): Mechanism {
  return {
    async openNear({ unique, server, startFar }) {
      const params: Params = { url: urlOf(server!), unique };
      const line = await openLine(params, 'near');
      await startFar(params);
      return line;
    },
    openFar: (params: Params) => openLine(params, 'far'),
  };
}

async function openLine({ url, unique }: Params, end: 'near' | 'far'): Promise<Line> {
  const client = await connect(url, {
    name: `${end}-${unique}`,
    maxFrameBytes: MAX_FRAME_BYTES,
    reconnect: { enabled: false },
  });
  const room = await client.join(unique, { codec: bytesCodec, echo: false });
  return new ChatLine(client, room);
}

class ChatLine implements Line {
  readonly #client: ChatClient;
  readonly #room: Room<Uint8Array>;

  constructor(client: ChatClient, room: Room<Uint8Array>) {
    this.#client = client;
    this.#room = room;
  }

  send(bytes: Uint8Array): boolean {
    // Acknowledgements are awaited by nobody here; what is lost shows at the other end.
    void this.#room.send(bytes.slice());
    return true;
  }

  receive(listener: LineListener): void {
    void this.#deliver(listener);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #deliver(listener: LineListener): Promise<void> {
    for await (const { value } of this.#room.messages()) listener(value, 0, value.length);
  }
}
