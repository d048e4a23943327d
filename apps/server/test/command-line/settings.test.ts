import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseArguments } from '../../src/command-line/args.js';
import { type Environment, strayVariables } from '../../src/command-line/environment.js';
import { flagOf, OPTIONS, type OptionName, variableOf } from '../../src/command-line/options.js';
import { resolveSettings, sourceText } from '../../src/command-line/settings.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-settings-'));
  file = join(folder, 'chat.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (config: object): void => writeFileSync(file, JSON.stringify(config, null, 1));
const parse = (argv: readonly string[], environment: Environment = {}) =>
  parseArguments(argv, '1.2.3', { environment });

describe('what is in force', () => {
  it('is what the flag says, else the environment, else the file, else the default', () => {
    const seen = (argv: readonly string[], environment: Environment): readonly unknown[] => {
      const { port, given } = parse(argv, environment);
      return [port, sourceText('port', given.sources.get('port')!)];
    };
    write({ json: true, port: 3 });
    const both = ['--config', file, '--port', '1'];
    expect(seen(both, { CHAT_PORT: '2' })).toEqual([1, '--port']);
    expect(seen(['--config', file], { CHAT_PORT: '2' })).toEqual([2, 'CHAT_PORT']);
    expect(seen(['--config', file], {})).toEqual([3, `${file}:3`]);
    expect(seen([], {})).toEqual([12_345, 'default']);
    expect(seen([], { CHAT_CONFIG: file })).toEqual([3, `${file}:3`]);
  });

  it('is a whole list of one source, never a mixture', () => {
    write({ allowedHost: ['a', 'b'] });
    const environment = { CHAT_ALLOWED_HOST: 'c, d  e' };
    expect(parse(['--config', file]).allowedHost).toEqual(['a', 'b']);
    expect(parse(['--config', file], environment).allowedHost).toEqual(['c', 'd', 'e']);
    expect(parse(['--config', file, '--allowed-host', 'f'], environment).allowedHost).toEqual(['f']);
  });

  it('can be switched off by a variable', () => {
    write({ json: true });
    expect(parse(['--config', file]).json).toBe(true);
    expect(parse(['--config', file], { CHAT_JSON: 'false' }).json).toBe(false);
    expect(parse(['--config', file], { CHAT_JSON: '' }).json).toBe(true);
  });

  it('does not read a file that somebody else has read', () => {
    const { port } = parseArguments(['--config', '/none.json'], '1', {
      environment: {},
      configText: '{ "port": 7 }',
    });
    expect(port).toBe(7);
  });

  it('says where options come from that do not go together', () => {
    write({ data: 'x' });
    expect(() => parse(['--config', file, '--nats', 'nats://localhost:4222'])).toThrow(
      `for all servers alike (--data is from ${file}:2)`,
    );
    expect(() => parse(['--tls-only'], { CHAT_TLS_KEY: 'k' })).toThrow(
      '--tls-cert and --tls-key go together (--tls-key is from CHAT_TLS_KEY)',
    );
  });

  it('takes the secret that counts before the other one', () => {
    const token = join(folder, 'token');
    writeFileSync(token, 'from the file\n');
    write({ metricsTokenFile: 'token' });
    expect(parse(['--config', file]).metricsToken?.value).toBe('from the file');
    const environment = { CHAT_METRICS_TOKEN: 'from outside' };
    expect(parse(['--config', file], environment).metricsToken?.value).toBe('from outside');
    expect(parse(['--metrics-token-file', token], environment).metricsToken?.value).toBe('from the file');
    const twice = { ...environment, CHAT_METRICS_TOKEN_FILE: token };
    expect(() => parse([], twice)).toThrow(
      '--metrics-token and --metrics-token-file say two things (--metrics-token is from CHAT_METRICS_TOKEN, --metrics-token-file is from CHAT_METRICS_TOKEN_FILE)',
    );
  });
});

/** A text that each type takes, and what it means. */
const SAMPLES: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  switch: ['true', true],
  text: ['x', 'x'],
  secret: ['x', 'x'],
  path: ['x', 'x'],
  port: ['7', 7],
  count: ['7', 7],
  limit: ['7', 7],
  workers: ['2', 2],
  mode: ['660', 0o660],
  origin: ['https://a.example', 'https://a.example'],
};

describe('the environment', () => {
  it.each(
    Object.entries(OPTIONS).flatMap(([name, { onlyInFile }]) =>
      name === 'config' || onlyInFile ? [] : [name],
    ),
  )('has %s', (name) => {
    const row = OPTIONS[name as OptionName];
    const [text, value] = row.choices ? [row.choices[0]!, row.choices[0]] : SAMPLES[row.type]!;
    const { settings, sources } = resolveSettings(new Map(), { [variableOf(name)]: text });
    expect(settings[name as OptionName]).toEqual(row.list ? [value] : value);
    expect(sources.get(name)).toEqual({ kind: 'environment' });
  });

  it('is named after the flag', () => {
    expect([flagOf('maxInFlight'), variableOf('maxInFlight')]).toEqual([
      '--max-in-flight',
      'CHAT_MAX_IN_FLIGHT',
    ]);
  });

  it('is refused by the name of its variable', () => {
    expect(() => parse([], { CHAT_PORT: 'x' })).toThrow(
      'CHAT_PORT is "x": a port is a number from 0 to 65535.',
    );
    expect(() => parse([], { CHAT_JSON: 'yes' })).toThrow('CHAT_JSON is "yes": true or false is needed.');
    expect(() => parse([], { CHAT_LOG_LEVEL: 'x' })).toThrow('CHAT_LOG_LEVEL is "x": Allowed choices are');
  });

  it('knows what Kubernetes says of a service', () => {
    expect(() => parse([], { CHAT_PORT: 'tcp://10.0.0.1:12345' })).toThrow(/enableServiceLinks: false/);
  });

  it('is told of no variable that shares only the prefix with an option', () => {
    expect(strayVariables({ CHAT_TEST_REPORT: 'report.json', CHAT_ROOM_COLOUR: 'red' })).toEqual([]);
  });

  it('is told of variables that are nearly options', () => {
    const stray = { CHAT_PROT: '1', CHAT_URL: 'x', CHATTY: 'x', CHAT_PORT: '1', CHAT_SERVER_WORKER: '{}' };
    expect(strayVariables(stray)).toEqual([
      'CHAT_PROT in the environment is no option; did you mean CHAT_PORT?',
    ]);
  });
});

describe('webhooks', () => {
  it('come from the command line, from the file, or both', () => {
    write({ webhooks: [{ url: 'https://b.example/hook?key=1', secretFile: 'secret', rooms: ['a'] }] });
    const flags = [
      '--webhook-url',
      'http://a.example',
      '--webhook-secret-file',
      's',
      '--webhook-event',
      'message',
      'left',
    ];
    const { webhooks } = parse(['--config', file, ...flags]);
    expect(webhooks).toMatchObject([
      {
        name: 'http://a.example/',
        url: 'http://a.example/',
        secretFile: 's',
        events: ['message', 'left'],
        rooms: undefined,
      },
      { name: 'https://b.example/hook', secretFile: join(folder, 'secret'), rooms: ['a'], timeoutMs: 10_000 },
    ]);
    expect(parse([]).webhooks).toEqual([]);
  });

  it.each([
    [
      { url: 'http://a', secretFil: 's' },
      '5: webhooks[0]: unknown option "secretFil"; did you mean "secretFile"?',
    ],
    [
      { url: 'ftp://a', secretFile: 's' },
      '4: webhooks[0]: url: an address such as https://example.org/hook is needed',
    ],
    [{ url: 'http://u:p@a', secretFile: 's' }, '4: webhooks[0]: url: an address'],
    [
      { url: 'http://a', secretFile: 's', events: ['mesage'] },
      '6: webhooks[0]: events: there is no event mesage; there is',
    ],
    [
      { url: 'http://a', secretFile: 's', timeoutMs: 0 },
      '6: webhooks[0]: timeoutMs: a whole number from 1 to 600000',
    ],
    [{ url: 'http://a' }, '3: webhooks[0]: secretFile: text is needed'],
    ['x', '3: webhooks[0]: the options must be an object, not a string'],
  ])('say where %j is wrong', (webhook, problem) => {
    write({ webhooks: [webhook] });
    expect(() => parse(['--config', file])).toThrow(`${file}:${problem}`);
  });

  it('do not go together with several machines, and need a secret', () => {
    const flags = ['--webhook-url', 'http://a.example', '--webhook-secret-file', 's'];
    expect(() => parse([...flags, '--workers', '2'])).not.toThrow();
    expect(() => parse([...flags, '--nats', 'nats://n.example'])).toThrow('do not go together with --nats');
    expect(() => parse(flags.slice(0, 2))).toThrow('--webhook-url needs --webhook-secret-file');
    expect(() => parse(flags.slice(2))).toThrow('need --webhook-url');
    write({ webhooks: [{ url: 'http://a.example', secretFile: 's' }] });
    expect(() => parse(['--config', file, ...flags])).toThrow('is also among the webhooks');
    write({ webhooks: [1, 2].map(() => ({ url: 'http://a.example', secretFile: 's' })) });
    expect(() => parse(['--config', file])).toThrow('[1]: another webhook is called http://a.example/, too');
  });
});
