import { describe, expect, it, vi } from 'vitest';
import { diagnose } from '../../src/model/diagnosis.js';

const PAGE = { protocol: 'https:', host: 'host.example', pathname: '/chat/' };

describe('diagnose', () => {
  it.each([
    ['wss://host.example', 'https://host.example/ws'],
    ['wss://host.example/chat/ws', 'https://host.example/chat/ws'],
  ])('asks at %s by %s', async (server, url) => {
    const ask = vi.fn(() => Promise.resolve({ status: 403 }));
    expect(await diagnose(server, PAGE, ask)).toContain('does not let pages from this address in');
    expect(ask).toHaveBeenCalledWith(url, { method: 'POST' });
  });

  it.each([
    [405, /lets no WebSocket through/],
    [404, /no chat/],
    [429, /too many connections/],
    [502, /chat server behind it does not answer/],
    [503, /not taking anybody in/],
  ])('has a sentence for %i', async (status, sentence) => {
    expect(await diagnose('wss://host.example', PAGE, () => Promise.resolve({ status }))).toMatch(sentence);
  });

  it('learns nothing from an answer that it does not know, from none, and of another server', async () => {
    const ask = vi.fn(() => Promise.resolve({ status: 200 }));
    expect(await diagnose('wss://host.example', PAGE, ask)).toBeUndefined();
    expect(await diagnose('wss://host.example', PAGE, () => Promise.reject(new Error()))).toBeUndefined();
    ask.mockClear();
    expect(await diagnose('wss://other.example', PAGE, ask)).toBeUndefined();
    expect(await diagnose('ws://host.example', PAGE, ask)).toBeUndefined();
    expect(ask).not.toHaveBeenCalled();
  });
});
