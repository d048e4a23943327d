/** Options that do not exist are refused wherever options are taken, at every level, in both builds. */
import type { OptionNames } from '@chat/protocol/check';
import { describe, expect, it } from 'vitest';
import * as browser from '../src/browser.js';
import * as node from '../src/index.js';
import { CONNECT_NAMES, GROUP_NAMES } from '../src/option-names.js';
import { createTimeline, type TimelineOptions } from '../src/timeline/index.js';
import { connected, join } from './support/connected.js';
import { turns } from './support/fake-clock.js';
import { joined } from './support/scripted-server.js';

const URL = 'ws://127.0.0.1:1';

/** As plain JavaScript calls it. */
function create(build: typeof node | typeof browser, options: unknown): unknown {
  return build.createChatClient(URL, options as node.ConnectOptions);
}

/** Each with itself as the value, so that no value is taken for one that was not given. */
function all(names: object): Record<string, undefined> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, undefined]));
}

describe('options of connect', () => {
  it.each([
    [{ reconect: {} }, 'unknown option "reconect"; did you mean "reconnect"?'],
    [{ conectTimeoutMs: 1 }, 'unknown option "conectTimeoutMs"; did you mean "connectTimeoutMs"?'],
    [
      { reconnect: { maxAttempt: 1 } },
      'unknown option "reconnect.maxAttempt"; did you mean "reconnect.maxAttempts"?',
    ],
    [{ outbox: { maxAge: 1 } }, 'unknown option "outbox.maxAge"; did you mean "outbox.maxAgeMs"?'],
    [
      { heartbeat: { timeout: 1 } },
      'unknown option "heartbeat.timeout"; did you mean "heartbeat.timeoutMs"?',
    ],
    [{ tls: { serverName: 'x' } }, 'unknown option "tls.serverName"; did you mean "tls.servername"?'],
    [{ reconnect: true }, 'the options of reconnect must be an object, not a boolean'],
  ])('%j are refused in Node: %s', (options, message) => {
    expect(() => create(node, { name: 'ada', ...options })).toThrow(new TypeError(message));
  });

  it.each([
    [{ reconect: {} }, /^unknown option "reconect", there is name,.*,reconnect,/],
    [{ reconnect: { maxAttempt: 1 } }, /^unknown option "maxAttempt", there is .*,maxAttempts$/],
    [{ outbox: { maxAge: 1 } }, /^unknown option "maxAge", there is .*,maxAgeMs$/],
    [{ heartbeat: { timeout: 1 } }, /^unknown option "timeout", there is timeoutMs$/],
  ])('%j are refused in the browser', (options, message) => {
    expect(() => create(browser, { name: 'ada', ...options })).toThrow(TypeError);
    expect(() => create(browser, { name: 'ada', ...options })).toThrow(message);
  });

  it('reject connect', async () => {
    const options = { name: 'ada', reconect: {} } as node.ConnectOptions;
    await expect(node.connect(URL, options)).rejects.toThrow('did you mean "reconnect"?');
    await expect(browser.connect(URL, options)).rejects.toThrow('unknown option "reconect"');
  });

  it.each([
    ['text', 'ada', 'the options must be an object, not a string'],
    ['nothing', undefined, 'the options must be an object, not undefined'],
    ['an array', ['ada'], 'the options must be an object, not an array'],
  ])('are refused when they are %s', (_, options, message) => {
    expect(() => create(node, options)).toThrow(new TypeError(message));
    expect(() => create(browser, options)).toThrow(TypeError);
  });

  it('are taken, each that the types have, in both builds', () => {
    const groups = Object.entries(GROUP_NAMES).map(([group, names]) => [
      group,
      Object.fromEntries(Object.keys(names).map((name) => [name, 1])),
    ]);
    const options = { ...all(CONNECT_NAMES), ...Object.fromEntries(groups), name: 'ada' };
    for (const build of [node, browser]) expect(() => create(build, options)).not.toThrow();
  });
});

describe('options of methods', () => {
  const JOIN: OptionNames<node.JoinOptions<string>> = {
    codec: true,
    history: true,
    since: true,
    echo: true,
    signal: true,
  };
  const HISTORY: OptionNames<node.HistoryOptions> = { before: true, after: true, limit: true, signal: true };
  const MEMBERS: OptionNames<NonNullable<Parameters<node.Room['loadMembers']>[0]>> = {
    limit: true,
    signal: true,
  };
  const ROOMS: OptionNames<node.RoomsOptions> = { prefix: true, limit: true, cursor: true, signal: true };
  const SEARCH: OptionNames<node.SearchOptions> = {
    room: true,
    from: true,
    before: true,
    limit: true,
    signal: true,
  };
  const SEND: OptionNames<NonNullable<Parameters<node.Room['send']>[1]>> = {
    signal: true,
    codec: true,
  };
  const STREAM: OptionNames<node.StreamOptions> = { signal: true, maxQueued: true, overflow: true };
  const LISTEN: OptionNames<node.ListenOptions> = { signal: true, once: true };

  it('are refused where they do not exist, and taken where they do', async () => {
    const { client, server } = await connected();
    const joining = client.join('lobby');
    await turns();
    await server.end.respond(joined('lobby'));
    const room = await joining;
    const noop = (): void => {};
    type Call = (options: never) => unknown;
    const calls: readonly (readonly [string, object, Call])[] = [
      ['join', JOIN, (options) => client.join('lobby', options)],
      ['rooms', ROOMS, (options) => client.rooms(options)],
      ['search', SEARCH, (options) => client.search('word', options)],
      ['direct', SEND, (options) => client.direct('bob', 'x', options)],
      ['directs', STREAM, (options) => client.directs(options)],
      ['status', STREAM, (options) => client.status(options)],
      ['client.on', LISTEN, (options) => client.on('state', noop, options)],
      ['send', SEND, (options) => room.send('x', options)],
      ['messages', STREAM, (options) => room.messages(options)],
      ['entries', STREAM, (options) => room.entries(options)],
      ['room.on', LISTEN, (options) => room.on('message', noop, options)],
      ['history', HISTORY, (options) => room.history(options)],
      ['loadMembers', MEMBERS, (options) => room.loadMembers(options)],
    ];
    for (const [method, names, call] of calls) {
      const wrong = async (): Promise<unknown> => call({ sginal: undefined } as never);
      await expect(wrong(), method).rejects.toThrow(/^unknown option "sginal"/);
      for (const name of Object.keys(names)) {
        const outcome = (async () => call({ [name]: undefined } as never))();
        const refused = await Promise.race([outcome.then(noop, (error: Error) => error), turns()]);
        expect(refused, `${method} with ${name}`).toBeUndefined();
      }
    }
    await expect(client.join('lobby', { since: { epoch: 'e', sq: 1 } } as never)).rejects.toThrow(
      'unknown option "sq", there is epoch,seq',
    );
    const closing = client.close();
    await turns();
    await closing;
  });

  it('are refused for events that do not exist, which nobody would ever hear of', async () => {
    const scene = await connected();
    const room = await join(scene);
    expect(() => scene.client.on('sate' as 'state', () => {})).toThrow(
      'unknown event "sate", there is state,direct,unreadable,gap,room-lost,going-away,read,renamed,listener-error',
    );
    expect(() => room.on('mesage' as 'message', () => {})).toThrow(
      'unknown event "mesage", there is message,notice,gap,unreadable,signal,members,closed',
    );
  });

  it('that do not exist are not put on the wire', async () => {
    const { client, server } = await connected();
    const before = server.end.frames.length;
    await expect(client.rooms({ op: 'leave' } as never)).rejects.toThrow('unknown option "op"');
    expect(server.end.frames.length).toBe(before);
    const closing = client.close();
    await turns();
    await closing;
  });
});

describe('options of a timeline', () => {
  const NAMES: OptionNames<TimelineOptions> = {
    isSeen: true,
    onItem: true,
    maxItems: true,
    pageEntries: true,
    echoTimeoutMs: true,
    isSameValue: true,
    self: true,
    clock: true,
    client: true,
  };

  it('are refused where they do not exist, and taken where they do', () => {
    expect(() => createTimeline(undefined, { maxItem: 1 } as object)).toThrow(
      /^unknown option "maxItem", there is /,
    );
    expect(() => createTimeline(undefined, all(NAMES)).close()).not.toThrow();
  });
});
