/** A client that keeps all that it is shown of the lobby, over connections that may break at any time. */
import { type ChatClient, connect, type Gap, type Message, type Room } from '@chat/client';

export interface Reader {
  readonly client: ChatClient;
  readonly room: Room;
  readonly seen: Message[];
  readonly gaps: Gap[];
  /** For each connection after the first: whether the session went on. */
  readonly resumed: boolean[];
}

/**
 * Connects and joins the lobby.
 *
 * @param random decides its pauses, in [0, 1)
 */
export async function startReader(url: string, name: string, random: () => number): Promise<Reader> {
  const client = await connect(url, {
    name,
    random,
    reconnect: { initial: true, baseDelayMs: 4, maxDelayMs: 20 },
    outbox: { maxAgeMs: 120_000 },
  });
  const gaps: Gap[] = [];
  client.on('gap', (gap) => gaps.push(gap));
  const resumed: boolean[] = [];
  client.on('state', (state) => {
    if (state.status === 'open') resumed.push(state.resumed);
  });
  const room = await client.join('lobby', { history: 0 });
  const seen: Message[] = [];
  room.on('message', (message) => seen.push(message));
  return { client, room, seen, gaps, resumed };
}

/** Resolved when the reader has seen the message with this text. */
export function untilSeen({ seen, room }: Reader, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (seen.some(({ value }) => value === text)) return resolve();
    const stop = room.on('message', ({ value }) => {
      if (value !== text) return;
      stop();
      resolve();
    });
  });
}
