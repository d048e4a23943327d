import type { ChatServer, SessionInfo } from '@chat/server';
import { beforeEach, describe, expect, it } from 'vitest';
import { logPresence } from '../../src/log/presence-log.js';

let listeners: Map<string, (session: SessionInfo) => void>;
let lines: string[];
let fields: object[];
let endPeriod: () => void;

beforeEach(() => {
  listeners = new Map();
  lines = [];
  fields = [];
  const server = {
    on: (name: string, listener: (session: SessionInfo) => void) => void listeners.set(name, listener),
  } as unknown as ChatServer;
  const logger = {
    info: (more: object, message: string) => {
      lines.push(message);
      fields.push(more);
    },
  };
  logPresence(server, logger, (_delayMs, callback) => {
    endPeriod = callback;
  });
});

function happens(what: 'session-opened' | 'session-ended', name: string, address = '192.0.2.1'): void {
  listeners.get(what)?.({ memberId: 7, device: 0, name, address, dialect: 'line', claims: { secret: true } });
}

describe('logPresence', () => {
  it('tells who comes from where, and who leaves, and nothing of their claims', () => {
    happens('session-opened', 'ada');
    happens('session-opened', 'bob', '');
    happens('session-ended', 'ada');
    expect(lines).toEqual([
      'ada came from 192.0.2.1 (line)',
      'bob came from this machine (line)',
      'ada left',
    ]);
    expect(fields[0]).toEqual({
      session: { name: 'ada', address: '192.0.2.1', dialect: 'line', member: 7 },
    });
    endPeriod();
    expect(lines).toHaveLength(3);
  });

  it('tells of a crowd in numbers, and by name again in the next period', () => {
    for (let i = 0; i < 500; i++) {
      happens('session-opened', `m${i}`);
      happens('session-ended', `m${i}`);
    }
    expect(lines).toHaveLength(20);
    endPeriod();
    expect(lines.at(-1)).toBe('and others: 490 came, 490 left');
    happens('session-opened', 'ada');
    expect(lines.at(-1)).toBe('ada came from 192.0.2.1 (line)');
    expect(lines).toHaveLength(22);
  });
});
