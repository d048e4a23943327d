/**
 * Without input: shows what is said in a room, for as long as the program runs.
 *
 * It waits for a server that is not up yet, and comes back to one that restarts. It takes another name when
 * its own is in use. Nothing but a signal ends it.
 */
import type { Writable } from 'node:stream';
import type { Arguments } from '../args.js';
import { createClient, isAboutName } from '../connection.js';
import { delay } from '../delay.js';
import { DEFAULT_SERVER, displayAddress, parseServerAddress } from '../server-address.js';
import { ChatSession, errorText, type SessionEvent } from '../session/session.js';
import { formatEvent } from '../text/format.js';
import { jsonEvent } from '../text/json-event.js';
import { type Palette, plainPalette } from '../text/palette.js';

/** The output of a follower, and the signal that stops it. */
export interface FollowStreams {
  readonly output: Writable;
  readonly palette?: Palette;
  readonly signal: AbortSignal;
  /** Between two attempts after the server refused for good. @defaultValue 5000 */
  readonly retryMs?: number;
}

const DEFAULT_NAME = 'follower';
const RETRY_MS = 5000;
/** A server that is still not there after so many attempts is reported. */
const PATIENT_ATTEMPTS = 10;

/** Follows until `signal` is aborted. */
export async function runFollow(args: Arguments, streams: FollowStreams, version: string): Promise<void> {
  const { output, signal, palette = plainPalette, retryMs = RETRY_MS } = streams;
  const { url } = args.server ?? parseServerAddress(DEFAULT_SERVER)!;
  const wanted = args.name ?? DEFAULT_NAME;
  const say = (text: string): void => {
    if (!args.json) output.write(`*** ${text}\n`);
  };
  say(`following ${args.room} at ${displayAddress(url)}; to talk, in another terminal:`);
  say(`    npm run chat -- ${args.server === undefined ? '' : `${displayAddress(url)} `}--name ada`);
  let name = wanted;
  for (let number = 2; !signal.aborted; ) {
    const client = createClient(url, name, args, version, {
      reconnect: { initial: true, nameTakenTimeoutMs: 0, baseDelayMs: 250, maxDelayMs: 5000 },
    });
    let isWaiting = !args.json;
    const show = (event: SessionEvent): void => {
      if (event.type === 'room') isWaiting = false;
      if (isWaiting && event.type === 'state' && event.state.status === 'reconnecting') {
        // Started beside a server, it is often a moment earlier: that is no mishap.
        if (event.state.attempt === 1) say('waiting for the server');
        if (event.state.attempt < PATIENT_ATTEMPTS) return;
      }
      const lines = args.json
        ? [jsonEvent(event)]
        : formatEvent(event, { palette, times: true, currentRoom: () => session.room?.name, now: Date.now });
      for (const line of lines) if (line !== undefined) output.write(`${line}\n`);
    };
    const session = new ChatSession(client, { history: args.history ?? 0, show });
    const leave = () => void client.close();
    signal.addEventListener('abort', leave, { once: true });
    try {
      await client.connect();
      await session.join(args.room);
      for await (const _state of client.status()) {
        // Ends when the client is closed, by the signal or by the server.
      }
    } catch (error) {
      if (!signal.aborted && isAboutName(error)) {
        name = `${wanted}-${number++}`;
        continue;
      }
      if (!signal.aborted && client.state.status !== 'closed') say(errorText(error));
    } finally {
      signal.removeEventListener('abort', leave);
      await client.close();
    }
    if (!signal.aborted) await delay(retryMs, signal);
  }
}
