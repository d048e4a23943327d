import type { ChatClient, ClientState } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { ChatSession, type SessionEvent } from '../../src/session/session.js';

/** A client that refuses every direct message. */
function session() {
  const events: SessionEvent[] = [];
  const client: Partial<ChatClient> = {
    state: { status: 'open', resumed: false } satisfies ClientState,
    joined: new Map(),
    on: () => () => {},
    direct: () => Promise.reject(new Error('too large')),
  };
  const show = (event: SessionEvent) => events.push(event);
  return { events, session: new ChatSession(client as ChatClient, { history: 0, show }) };
}

describe('ChatSession', () => {
  it('says of a message that was not sent how it began, and not all of it', async () => {
    const { events, session: chat } = session();
    expect(await chat.submit('/msg bob hello')).toBe(false);
    expect(await chat.submit(`/msg bob ${'x'.repeat(199)}${'🎉'.repeat(40_000)}`)).toBe(false);
    expect(events).toMatchObject([
      { type: 'failed', what: 'not sent to bob: hello' },
      { type: 'failed', what: `not sent to bob: ${'x'.repeat(199)}…` },
    ]);
  });

  it('hands an error back to a caller that wants to see to it itself', async () => {
    const { events, session: chat } = session();
    const result = await chat.submit('/msg bob hello', { quietly: () => true });
    expect(result).toMatchObject({ message: 'too large' });
    expect(events).toEqual([]);
  });
});
