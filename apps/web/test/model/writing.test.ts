import { ClientError } from '@chat/client';
import { describe, expect, it } from 'vitest';
import type { Conversation } from '../../src/model/conversation.js';
import { Writing } from '../../src/model/writing.js';

/** A conversation in which messages fail, or not, and typing is written down. */
function conversation(error?: Error) {
  const told: boolean[] = [];
  const timeline = {
    send: async () => error === undefined,
    retry: async () => error === undefined,
    typing: (isWriting: boolean) => told.push(isWriting),
    snapshot: { outgoing: error ? [{ status: 'failed', error }] : [] },
  };
  return { told, conversation: { timeline } as unknown as Conversation };
}

describe('Writing', () => {
  it('tells why a message is not in the log, at the first try and the next', async () => {
    const error = new ClientError('ERR_CLIENT_TOO_LARGE', 'too large');
    const failures: unknown[] = [];
    const writing = new Writing((_, reason) => failures.push(reason));
    writing.send(conversation().conversation, 'fine');
    writing.send(conversation(error).conversation, 'not fine');
    writing.retry(conversation(error).conversation, 'key');
    for (let i = 0; i < 5; i++) await Promise.resolve();
    expect(failures).toEqual([error, error]);
  });

  it('stops where the user wrote before when it goes on elsewhere', () => {
    const writing = new Writing(() => {});
    const [first, second] = [conversation(), conversation()];
    writing.type(first.conversation, true);
    writing.type(second.conversation, true);
    writing.type(second.conversation, false);
    writing.type(first.conversation, true);
    expect([first.told, second.told]).toEqual([
      [true, false, true],
      [true, false],
    ]);
  });
});
