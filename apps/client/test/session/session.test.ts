import { type ChatClient, ClientError, type ClientState, type SearchPage } from '@chat/client';
import { describe, expect, it } from 'vitest';
import { ChatSession, errorText, type SessionEvent } from '../../src/session/session.js';

/** A client that refuses every direct message, and searches as it is told. */
function session(search?: ChatClient['search']) {
  const events: SessionEvent[] = [];
  const client: Partial<ChatClient> = {
    state: { status: 'open', resumed: false } satisfies ClientState,
    joined: new Map(),
    on: () => () => {},
    direct: () => Promise.reject(new Error('too large')),
    ...(search && { search }),
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

  it('finds messages, and older ones where no words follow', async () => {
    const asked: unknown[] = [];
    const pages: SearchPage[] = [{ hits: [], cursor: 40 }, { hits: [], cursor: 0 }, { hits: [] }];
    const { events, session: chat } = session(async (...question) => {
      asked.push(question);
      return pages[asked.length - 1]!;
    });
    expect(await chat.submit('/search')).toBe(false);
    for (const line of ['/search the fox', '/search', '/search']) expect(await chat.submit(line)).toBe(true);
    expect(await chat.submit('/search')).toBe(false);
    expect(asked).toEqual([
      ['the fox', { limit: 20 }],
      ['the fox', { limit: 20, before: 40 }],
      ['the fox', { limit: 20, before: 0 }],
    ]);
    expect(events).toEqual([
      { type: 'invalid', reason: 'usage: /search WORDS' },
      ...pages.map((page) => ({ type: 'found', query: 'the fox', page })),
      { type: 'invalid', reason: 'there is nothing older with the fox' },
    ]);
  });

  it.each([
    ['ERR_CLIENT_UNAVAILABLE', 'this server has no search (unavailable)', 'this server has no search'],
    ['ERR_CLIENT_BAD_REQUEST', 'bad request: search', 'the server does not know how to do that'],
  ] as const)('says plainly that the server cannot search: %s', async (code, message, words) => {
    const { events, session: chat } = session(() => Promise.reject(new ClientError(code, message)));
    expect(await chat.submit('/search fox')).toBe(false);
    const [event] = events;
    expect(event).toMatchObject({ type: 'failed', what: '/search' });
    expect(errorText((event as { error: unknown }).error)).toContain(words);
  });
});
