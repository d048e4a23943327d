import { describe, expect, it, vi } from 'vitest';
import { diagnose } from '../../src/sign-in/diagnosis.js';

const PAGE = { protocol: 'https:', host: 'host.example', pathname: '/chat/' };

function answer(status: number, text = ''): Promise<{ status: number; text(): Promise<string> }> {
  return Promise.resolve({ status, text: () => Promise.resolve(text) });
}

describe('diagnose', () => {
  it('repeats no page of a proxy', async () => {
    const page = '<html><body>Forbidden</body></html>';
    expect(await diagnose('wss://host.example', PAGE, () => answer(403, page))).toBe(
      'The server does not let this page in.',
    );
  });

  it.each([
    ['wss://host.example', 'https://host.example/ws'],
    ['wss://host.example/chat/ws', 'https://host.example/chat/ws'],
  ])('asks at %s by %s', async (server, url) => {
    const ask = vi.fn(() => answer(403, 'allow it\n'));
    expect(await diagnose(server, PAGE, ask)).toBe('The server does not let this page in: allow it.');
    expect(ask).toHaveBeenCalledWith(url, { method: 'POST' });
  });

  it.each([
    [405, /lets no WebSocket through/],
    [404, /no chat/],
    [429, /too many connections/],
    [502, /chat server behind it does not answer/],
    [503, /not taking anybody in/],
  ])('has a sentence for %i', async (status, sentence) => {
    expect(await diagnose('wss://host.example', PAGE, () => answer(status))).toMatch(sentence);
  });

  it('learns nothing from an answer that it does not know, from none, and of another server', async () => {
    const ask = vi.fn(() => answer(200));
    expect(await diagnose('wss://host.example', PAGE, ask)).toBeUndefined();
    expect(await diagnose('wss://host.example', PAGE, () => Promise.reject(new Error()))).toBeUndefined();
    ask.mockClear();
    expect(await diagnose('wss://other.example', PAGE, ask)).toBeUndefined();
    expect(await diagnose('ws://host.example', PAGE, ask)).toBeUndefined();
    expect(ask).not.toHaveBeenCalled();
  });
});
