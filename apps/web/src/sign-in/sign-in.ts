/**
 * The way in: one client after the other, for as long as the server keeps the name of the page before a
 * reload.
 */
import { type ChatClient, ClientError, ClientErrorCode } from '@chat/client';
import { explain } from '../text/explain.js';

/** The time of the page: replaced in tests. */
export interface PageClock {
  /** Milliseconds since some moment, by a clock that nobody sets. */
  monotonic(): number;
  /** Lasts for so many milliseconds. */
  pause(ms: number): Promise<void>;
}

export const pageClock: PageClock = {
  monotonic: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface SignInOptions {
  /** Makes the client of the next attempt. */
  readonly begin: () => ChatClient;
  /** Whether the user still waits for this client. */
  readonly isWanted: (client: ChatClient) => boolean;
  /** Whether this goes on after a reload, when the name may still be held for the page before. */
  readonly again: boolean;
  /** Told each time that the name is still held. */
  readonly onHeld: () => void;
  /** Finds out why the server cannot be connected to; a sentence for people. */
  readonly diagnose: () => Promise<string | undefined>;
  readonly clock: PageClock;
}

/** Why there is no client. */
export interface SignInFailure {
  /** For people. */
  readonly problem: string;
  /** Whether a password, or another one, may help. */
  readonly wantsPassword: boolean;
}

/** How long a server keeps the name of a page that went away without a goodbye, and a little more. */
const NAME_HELD_MS = 40_000;
const NAME_HELD_RETRY_MS = 2000;

/**
 * @returns the client that is in; why there is none; undefined when nobody waits for it any
 * more
 */
export async function signIn(options: SignInOptions): Promise<ChatClient | SignInFailure | undefined> {
  const { begin, isWanted, again, onHeld, diagnose, clock } = options;
  const patientUntil = again ? clock.monotonic() + NAME_HELD_MS : -Infinity;
  for (;;) {
    const client = begin();
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (!isWanted(client)) return undefined;
      const code = ClientError.is(error) ? error.code : undefined;
      if (code !== ClientErrorCode.NameTaken || clock.monotonic() > patientUntil) {
        const reason = code === ClientErrorCode.ConnectFailed ? await diagnose() : undefined;
        if (!isWanted(client)) return undefined;
        const wantsPassword = code === ClientErrorCode.Unauthorized;
        return { problem: reason ?? explain(error), wantsPassword };
      }
      onHeld();
      await clock.pause(NAME_HELD_RETRY_MS);
      if (!isWanted(client)) return undefined;
    }
  }
}
