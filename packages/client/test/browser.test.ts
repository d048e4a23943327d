import { FrameType } from '@chat/protocol/frames';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connect, createChatClient } from '../src/browser.js';
import { FakeClock, turns } from './support/fake-clock.js';
import { ScriptedServer } from './support/scripted-server.js';

/** What a page offers to this package. */
class Page {
  readonly listeners = new Map<string, () => void>();
  visibilityState = 'visible';

  constructor() {
    vi.stubGlobal('document', this);
    vi.stubGlobal('addEventListener', (event: string, listener: () => void) =>
      this.listeners.set(event, listener),
    );
    vi.stubGlobal('removeEventListener', (event: string) => this.listeners.delete(event));
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

async function open() {
  const page = new Page();
  const server = new ScriptedServer();
  const clock = new FakeClock();
  const client = createChatClient('ws://test', { name: 'ada', clock, transport: server.transport });
  const opened = client.connect();
  // What puts the frames of such a transport together is fetched first.
  await vi.dynamicImportSettled();
  await turns();
  await server.end.welcome();
  await opened;
  return { page, server, client };
}

describe('in the browser', () => {
  it('only WebSockets can be opened', async () => {
    await expect(connect('tcp://localhost', { name: 'ada' })).rejects.toMatchObject({
      code: 'ERR_CLIENT_URL_UNSUPPORTED',
      message: expect.stringContaining('ws: wss:'),
    });
  });

  it('the client comes back at once when the network does', async () => {
    const { page, server, client } = await open();
    await server.end.cut();
    expect(server.ends).toHaveLength(1);
    page.listeners.get('online')!();
    await turns();
    expect(server.ends).toHaveLength(2);
    await client.close();
  });

  it('the client makes sure of its connection when the page is shown, and not when it is hidden', async () => {
    const { page, server, client } = await open();
    page.visibilityState = 'hidden';
    page.listeners.get('visibilitychange')!();
    await turns();
    expect(server.end.all(FrameType.Ping)).toHaveLength(0);
    page.visibilityState = 'visible';
    page.listeners.get('visibilitychange')!();
    await turns();
    expect(server.end.all(FrameType.Ping)).toHaveLength(1);
    await client.close();
  });

  it('the page is left alone after close', async () => {
    const { page, client } = await open();
    expect([...page.listeners.keys()].sort()).toEqual(['online', 'pageshow', 'visibilitychange']);
    await client.close();
    expect(page.listeners.size).toBe(0);
  });
});
