/** Options that do not exist, and arguments of another kind, are refused before anything is opened. */
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import { adjustOptions, resolveOptions } from '../../src/options/options.js';
import { type ChatServer, createChatServer } from '../../src/server/chat-server.js';
import { assertRuntime } from '../../src/server/runtime.js';

/** As plain JavaScript calls it. */
type Loose = (options?: unknown) => unknown;
const create = createChatServer as Loose;

const badOption = (message: string): Error =>
  expect.objectContaining({ code: ServerErrorCode.BadOption, message }) as Error;

/** Calls a method of a server that is closed afterwards; nothing may listen then. */
async function refusalOf(call: (server: ChatServer) => unknown): Promise<unknown> {
  const server = createChatServer();
  try {
    await call(server);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    expect(server.addresses).toEqual([]);
    await server.close();
  }
}

describe('createChatServer', () => {
  it.each([
    [{ maxSesions: 5 }, 'unknown option "maxSesions"; did you mean "maxSessions"?'],
    [{ idleTimeout: 5 }, 'unknown option "idleTimeout"; did you mean "idleTimeoutMs"?'],
    [{ htpp: {} }, 'unknown option "htpp"; did you mean "http"?'],
    [{ port: 8080 }, 'unknown option "port"'],
    [{ http: { handlr: 1 } }, 'unknown option "http.handlr"; did you mean "http.handler"?'],
    [
      { hooks: { authentificate: () => {} } },
      'unknown option "hooks.authentificate"; did you mean "hooks.authenticate"?',
    ],
    [{ hooks: { authenticate: 'yes' } }, 'hooks.authenticate must be a function'],
    [{ clock: { now: Date.now, after: () => {} } }, 'clock must have a method every'],
    [{ logger: { info: () => {} } }, 'logger must have a method debug'],
    [{ log: {} }, 'log must have a method open'],
    [{ http: () => {} }, 'the options of http must be an object, not a function'],
    [{ random: 4 }, 'random must be a function, got 4'],
    [{ agent: 4 }, 'agent must be text, got 4'],
    [{ exemptAddresses: '127.0.0.1' }, 'exemptAddresses must be an array, got 127.0.0.1'],
    [{ trustedProxies: '127.0.0.1' }, 'trustedProxies must be an array, got 127.0.0.1'],
  ])('refuses %j: %s', (options, message) => {
    expect(() => create(options)).toThrow(badOption(message));
  });

  it.each([
    [8080, 'the options must be an object, not a number'],
    ['0.0.0.0', 'the options must be an object, not a string'],
    [null, 'the options must be an object, not null'],
    [[], 'the options must be an object, not an array'],
  ])('refuses %j for its options', (options, message) => {
    expect(() => create(options)).toThrow(badOption(message));
  });

  it('takes hooks that are methods of an object with a state of its own', () => {
    class Door {
      readonly guests = new Set(['ada']);
      authorize(): boolean {
        return this.guests.size > 0;
      }
    }
    expect(() => createChatServer({ hooks: new Door() })).not.toThrow();
  });

  it('takes every option that has a default, and the log', () => {
    const { http, hooks, ...resolved } = resolveOptions({});
    expect(() => createChatServer({ http, hooks, ...resolved })).not.toThrow();
  });
});

describe('listen', () => {
  it.each([
    [{ prot: 0 }, 'listen: unknown option "prot"; did you mean "port"?'],
    [{ hots: '127.0.0.1', port: 0 }, 'listen: unknown option "hots"; did you mean "host"?'],
    [{ server: {} }, /^listen: unknown option "server"; there is port, host, path/],
    [0, 'listen: the options must be an object, not a number'],
    [null, 'listen: the options must be an object, not null'],
    [{ port: '8080' }, 'listen: port must be a whole number from 0 to 65535, got 8080'],
    [{ port: 65_536 }, 'listen: port must be a whole number from 0 to 65535, got 65536'],
    [{ port: 0, host: '' }, 'listen: host must be text, got none'],
    [{ path: 5 }, 'listen: path must be text, got 5'],
    [{ port: 0, path: '/tmp/x' }, 'listen: a path stands instead of port and host, not beside them'],
    [{ tls: { crt: '', key: '' } }, /^listen: unknown option "tls.crt"; did you mean "tls.cert"\?/],
    [
      { tls: { cert: '', key: '', serverNames: { 'a.example': { cert: '', kye: '' } } } },
      `listen: unknown option "tls.serverNames['a.example'].kye"; did you mean "tls.serverNames['a.example'].key"?`,
    ],
  ])('refuses %j, and opens nothing', async (address, message) => {
    expect(await refusalOf((server) => (server.listen as Loose).call(server, address))).toEqual(
      badOption(typeof message === 'string' ? message : expect.stringMatching(message)),
    );
  });

  it('refuses a listener of the program', async () => {
    const listener = createServer();
    expect(await refusalOf((server) => (server.listen as Loose).call(server, listener))).toEqual(
      badOption(expect.stringMatching(/^listen: the options must be a plain object, not a Server/)),
    );
  });
});

describe('other methods', () => {
  it.each<[string, (server: ChatServer) => unknown, string]>([
    [
      'drain',
      (server) => server.drain({ deadline: 5 } as object),
      'drain: unknown option "deadline"; did you mean "deadlineMs"?',
    ],
    [
      'on',
      (server) => server.on('session-opened', () => {}, { sginal: 1 } as object),
      'on: unknown option "sginal"; did you mean "signal"?',
    ],
    [
      'reloadCertificate',
      (server) => server.reloadCertificate({ cert: '', kye: '' } as never),
      'reloadCertificate: unknown option "kye"; did you mean "key"?',
    ],
    [
      'adjust',
      (server) => server.adjust({ maxSesions: 5 } as object),
      'unknown option "maxSesions"; did you mean "maxSessions"?',
    ],
    ['adjust', (server) => server.adjust({ log: 5 } as object), 'log cannot be changed later'],
  ])('%s refuses an option that does not exist', async (_, call, message) => {
    expect(await refusalOf(call)).toEqual(badOption(message));
  });

  it('drain goes on after a wrong option was refused', async () => {
    await using server = createChatServer();
    await server.listen({ port: 0, host: '127.0.0.1' });
    await expect(server.drain({ deadline: 5 } as object)).rejects.toThrow('deadlineMs');
    expect(await server.drain()).toEqual({ drained: 0, forced: 0 });
  });

  it('changes nothing where one limit is refused', () => {
    const options = resolveOptions({});
    expect(() => adjustOptions(options, { maxSessions: 1, maxSesions: 1 } as object)).toThrow('maxSesions');
    expect(options.maxSessions).toBe(10_000);
  });
});

describe('the runtime', () => {
  it('is refused at once where it is Bun', () => {
    expect(() => assertRuntime({ node: '26.3.0', bun: '1.4.5' })).toThrow(
      expect.objectContaining({
        code: ServerErrorCode.UnsupportedRuntime,
        message: expect.stringMatching(/^Bun 1\.4\.5 is not supported/),
      }),
    );
  });

  it('may be Node or Deno', () => {
    expect(() => assertRuntime(process.versions)).not.toThrow();
    expect(() => assertRuntime({ node: '26.3.0', deno: '2.9.6' })).not.toThrow();
  });
});
