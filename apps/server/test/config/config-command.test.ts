import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { InvalidArgumentError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/command-line/config-file.js';
import type { Environment } from '../../src/command-line/environment.js';
import { OPTIONS } from '../../src/command-line/options.js';
import { readJsonValue, schemaOf } from '../../src/command-line/values.js';
import { runConfigCommand } from '../../src/config/config-command.js';
import { configSchema } from '../../src/config/schema.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(argv: readonly string[], environment: Environment = {}): string {
  const lines: string[] = [];
  expect(runConfigCommand(argv, '1.2.3', (line) => lines.push(line), environment)).toBe(0);
  return lines.join('\n');
}

describe('chat-server config', () => {
  it('prints each value with the place that it comes from, and no secret', () => {
    const file = join(folder, 'chat.json');
    writeFileSync(file, '{\n"maxSessions": 500, "unix": "chat.sock", "unixMode": "060" }');
    const text = run(['--config', file, '--allowed-host', 'a', 'b', '--unlimited'], {
      CHAT_METRICS_TOKEN: 's3cret',
    });
    const lines = text.split('\n').map((line) => line.split(/ {2,}/));
    for (const line of [
      ['maxSessions', '500', `${file}:2`],
      ['unixMode', '060', `${file}:2`],
      ['allowedHost', 'a b', '--allowed-host'],
      ['port', '12345', 'default'],
      ['maxRoomsPerSession', '100', 'default'],
      ['maxMembersPerRoom', 'Infinity', '--unlimited'],
      ['metricsToken', '(secret)', 'CHAT_METRICS_TOKEN'],
    ]) {
      expect(lines).toContainEqual(line);
    }
    expect(text).not.toContain('s3cret');
  });

  it('prints JSON for programs', () => {
    const json = JSON.parse(run(['--json', '--max-rooms', 'Infinity'])) as Record<string, object>;
    expect(json.maxRooms).toEqual({ value: 'Infinity', source: '--max-rooms' });
    expect(json.port).toEqual({ value: 12_345, source: 'default' });
  });

  it('checks what the server checks, and says where it stands', () => {
    const file = join(folder, 'chat.json');
    writeFileSync(file, '{\n"maxFrameBytes": 3 }');
    expect(() => run(['--config', file])).toThrow(
      `maxFrameBytes must be a whole number from 4096 to 268435456, got 3 (--max-frame-bytes is from ${file}:2)`,
    );
    expect(() => run(['--nope'])).toThrow("unknown option '--nope'");
  });
});

describe('the schema of configuration files', () => {
  it('is the one in docs/', async () => {
    const text = run(['--schema']);
    expect(JSON.parse(text)).toEqual(configSchema());
    await expect(`${text}\n`).toMatchFileSnapshot('../../../../docs/chat-server.schema.json');
  });

  it('has every option but secrets and the file itself', () => {
    const schema = configSchema() as { readonly properties: object };
    const missing = Object.keys(OPTIONS).filter((name) => !Object.hasOwn(schema.properties, name));
    expect(missing).toEqual(['config', 'metricsToken']);
  });

  it('takes what the program takes, and nothing else, by the types of values', () => {
    const ajv = new Ajv2020({ strictTypes: false });
    const values = [
      true,
      1,
      0,
      -1,
      1.5,
      70_000,
      'x',
      'auto',
      'Infinity',
      '660',
      'self',
      'info',
      null,
      {},
      ['x'],
      ['a', 'b'],
      [1],
    ];
    const reads = (value: unknown, name: keyof typeof OPTIONS): boolean => {
      try {
        readJsonValue(value, OPTIONS[name]);
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentError);
        return false;
      }
    };
    const seen = new Set<boolean>();
    for (const name of Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]) {
      const { type, limit } = OPTIONS[name];
      // Bounds of limits are checked by the server, and origins have no pattern that is worth reading.
      if (limit || type === 'origin' || type === 'webhooks') continue;
      const validate = ajv.compile(schemaOf(OPTIONS[name]));
      for (const value of values) {
        const isValid = validate(value);
        seen.add(isValid);
        expect([name, value, reads(value, name)]).toEqual([name, value, isValid]);
      }
    }
    expect(seen.size).toBe(2);
  });

  it('is one that a validator takes, with the example of docs/operating.md', () => {
    const validate = new Ajv2020({ strictTypes: false }).compile(configSchema());
    const page = readFileSync(new URL('../../../../docs/operating.md', import.meta.url), 'utf8');
    const example = /```json chat\.json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(validate(JSON.parse(example)), JSON.stringify(validate.errors)).toBe(true);
    const api = readFileSync(new URL('../../../../docs/http-api.md', import.meta.url), 'utf8');
    const webhooks = /```json webhooks\n([\s\S]*?)```/.exec(api)?.[1] ?? '';
    expect(validate(JSON.parse(webhooks)), JSON.stringify(validate.errors)).toBe(true);
    expect(readConfig('chat.json', webhooks).get('webhooks')?.value).toHaveLength(2);
    expect(validate({ prot: 1 })).toBe(false);
    expect(validate({ webhooks: [{ url: 'http://a' }] })).toBe(false);
  });
});
