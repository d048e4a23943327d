import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_CONFIG_BYTES, readConfig, readConfigText } from '../../src/command-line/config-file.js';
import { UsageError } from '../../src/command-line/usage-error.js';

const valuesOf = (text: string): Record<string, unknown> =>
  Object.fromEntries([...readConfig('etc/chat.json', text)].map(([name, { value }]) => [name, value]));

describe('readConfig', () => {
  it('takes options by name, with their lines, and leaves comments and the schema out', () => {
    const text =
      '{\n  // of the team\n  "$schema": "./x.json",\n  "port": 7000, "json": true,\n  "maxSessions": 5\n}\n';
    expect([...readConfig('chat.json', text)]).toEqual([
      ['port', { value: 7000, line: 4 }],
      ['json', { value: true, line: 4 }],
      ['maxSessions', { value: 5, line: 5 }],
    ]);
    expect(valuesOf('{}')).toEqual({});
  });

  it('takes lists, words and octal digits, as the command line does', () => {
    const text = `{ "allowedHost": ["a", "b"], "nats": "nats://a", "maxRooms": "Infinity", "unixMode": "660",
      "frameAncestor": ["self"], "logLevel": "warn" }`;
    expect(valuesOf(text)).toEqual({
      allowedHost: ['a', 'b'],
      nats: ['nats://a'],
      maxRooms: Number.POSITIVE_INFINITY,
      unixMode: 0o660,
      frameAncestor: ["'self'"],
      logLevel: 'warn',
    });
    expect(valuesOf('{ "workers": "auto" }').workers).toBeGreaterThan(0);
  });

  it('begins relative paths at its own folder', () => {
    expect(valuesOf('{ "data": "data", "tlsCert": "/c.pem", "lineCharset": "utf-16le" }')).toEqual({
      data: resolve('etc', 'data'),
      tlsCert: resolve('/c.pem'),
      lineCharset: 'utf-16le',
    });
  });

  it.each([
    ['{ "prot": 1 }', '1: unknown option "prot"; did you mean "port"?'],
    ['{\n\n"max-sessions": 1 }', '3: unknown option "max-sessions"; did you mean "maxSessions"?'],
    ['{ "__proto__": 1 }', '1: unknown option "__proto__"'],
    ['{ "port": 1,\n "port": 1 }', '2: "port" is there twice, first in line 1'],
    ['{\n"port": 1\n"json": true }', '3: this is no JSON: comma expected'],
    ['{ "port": 1, }', '1: this is no JSON: property name expected'],
    ['', '1: this is no JSON: value expected'],
    ['[1]', '1: a configuration file is an object, as { "port": 7000 }'],
    ['{ "port": "1" }', '1: port: a number is needed, got a string.'],
    ['{ "port": 1.5 }', '1: port: a port is a number from 0 to 65535.'],
    ['{ "port": null }', '1: port: a number is needed, got null.'],
    ['{ "json": 1 }', '1: json: a boolean is needed, got a number.'],
    ['{ "workers": "many" }', '1: workers: a number or "auto" is needed, got a string.'],
    ['{ "maxFrameBytes": "Infinity" }', '1: maxFrameBytes: a number is needed, got a string.'],
    ['{ "unixMode": 660 }', '1: unixMode: a string is needed, got a number.'],
    ['{ "allowedHost": ["a", {}] }', '1: allowedHost: a string is needed, or a list, got an object.'],
    ['{ "data": [] }', '1: data: a string is needed, got a list.'],
    ['{ "logLevel": "loud" }', '1: logLevel: Allowed choices are debug, info, warn, error, silent.'],
    ['{ "config": "x" }', '1: "config" stands on the command line, or in CHAT_CONFIG: a file names no other'],
  ])('says of %j what is wrong, and where', (text, problem) => {
    expect(() => readConfig('chat.json', text)).toThrow(new UsageError(`chat.json:${problem}`));
  });

  it('takes no secret, and does not repeat it', () => {
    const refused = (): unknown => readConfig('chat.json', '{ "metricsToken": "s3cret" }');
    expect(refused).toThrow(/is a secret, and does not belong here: .* name that with "metricsTokenFile"$/);
    expect(refused).not.toThrow(/s3cret/);
  });
});

describe('readConfigText', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chat-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('reads UTF-8, with a mark of its order or without', () => {
    const path = join(folder, 'chat.json');
    writeFileSync(path, '\uFEFF{ "natsStream": "чат" }');
    expect(readConfig(path, readConfigText(path)).get('natsStream')?.value).toBe('чат');
  });

  it('refuses what is not there, not text, or beyond any configuration', () => {
    const path = join(folder, 'chat.json');
    expect(() => readConfigText(path)).toThrow(/^cannot read the configuration file: ENOENT/);
    writeFileSync(path, Uint8Array.of(0x7b, 0xff, 0x7d));
    expect(() => readConfigText(path)).toThrow(`${path} is not UTF-8`);
    writeFileSync(path, ' '.repeat(MAX_CONFIG_BYTES));
    expect(readConfigText(path)).toHaveLength(MAX_CONFIG_BYTES);
    writeFileSync(path, ' '.repeat(MAX_CONFIG_BYTES + 1));
    expect(() => readConfigText(path)).toThrow(`has ${MAX_CONFIG_BYTES + 1} bytes`);
  });
});
