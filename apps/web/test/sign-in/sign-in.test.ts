import { type ChatClient, ClientError } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { type PageClock, signIn } from '../../src/sign-in/sign-in.js';

const TAKEN = new ClientError('ERR_CLIENT_NAME_TAKEN', 'taken');
const FAILED = new ClientError('ERR_CLIENT_CONNECT_FAILED', 'refused');

/** A way in whose attempts end one after the other as `outcomes` say, the last one for ever. */
function wayIn(outcomes: readonly (Error | undefined)[], { again = true, leaveAfter = Infinity } = {}) {
  let now = 0;
  let attempts = 0;
  let helds = 0;
  const clock: PageClock = {
    monotonic: () => now,
    pause: async (ms) => {
      now += ms;
    },
  };
  const client = {
    connect: async () => {
      const outcome = outcomes[Math.min(attempts++, outcomes.length - 1)];
      if (outcome) throw outcome;
    },
  } as ChatClient;
  const result = signIn({
    begin: () => client,
    isWanted: () => attempts < leaveAfter,
    again,
    onHeld: () => helds++,
    diagnose: async () => 'The server is asleep.',
    clock,
  });
  return { result, client, seen: () => ({ now, attempts, helds }) };
}

describe('signIn', () => {
  it('gives the client that is in', async () => {
    const { result, client, seen } = wayIn([undefined]);
    expect(await result).toBe(client);
    expect(seen()).toEqual({ now: 0, attempts: 1, helds: 0 });
  });

  it('waits after a reload for the name that the server still keeps, every two seconds', async () => {
    const { result, client, seen } = wayIn([TAKEN, TAKEN, undefined]);
    expect(await result).toBe(client);
    expect(seen()).toEqual({ now: 4000, attempts: 3, helds: 2 });
  });

  it('does not wait for a name for ever, and at the first visit not at all', async () => {
    const patient = wayIn([TAKEN]);
    expect(await patient.result).toMatchObject({ problem: expect.stringContaining('name') });
    expect(patient.seen().now).toBe(42_000);
    const first = wayIn([TAKEN], { again: false });
    expect(await first.result).toMatchObject({ problem: expect.stringContaining('name') });
    expect(first.seen().attempts).toBe(1);
  });

  it('says why there is no connection, as well as it can be found out', async () => {
    expect(await wayIn([FAILED]).result).toMatchObject({ problem: 'The server is asleep.' });
    expect(await wayIn([new ClientError('ERR_CLIENT_BANNED', 'no')]).result).toMatchObject({
      problem: expect.stringContaining('operator'),
    });
  });

  it('says whether a password may help', async () => {
    const unauthorized = new ClientError('ERR_CLIENT_UNAUTHORIZED', 'the name ada has a password (4010)');
    expect(await wayIn([unauthorized]).result).toEqual({
      problem: 'The name ada has a password.',
      wantsPassword: true,
    });
    expect(await wayIn([FAILED]).result).toMatchObject({ wantsPassword: false });
  });

  it('has nothing to say to a user that went elsewhere meanwhile', async () => {
    expect(await wayIn([FAILED], { leaveAfter: 1 }).result).toBeUndefined();
    expect(await wayIn([TAKEN, TAKEN], { leaveAfter: 2 }).result).toBeUndefined();
  });
});
