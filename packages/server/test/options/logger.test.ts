import { describe, expect, it } from 'vitest';
import { CalmLogger, MAX_LOGGED_LENGTH } from '../../src/options/logger.js';
import { LogLines } from '../support/log-lines.js';
import { MemoryChat } from '../support/memory-chat.js';

describe('CalmLogger', () => {
  it('passes fields on as one bounded line each that a terminal does not obey', () => {
    const log = new LogLines();
    const logger = new CalmLogger(log);
    const err = new Error('as it is');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) {
      logger[level]({ agent: 'x\u009B2J\u001B[31m\u202Ey\r\nz', member: 7, err }, 'told');
    }
    expect(log.lines).toHaveLength(4);
    for (const { fields } of log.lines) {
      expect(fields).toEqual({ agent: 'x\uFFFD2J\uFFFD[31m\uFFFDy z', member: 7, err });
    }
    logger.info({ name: 'é'.repeat(MAX_LOGGED_LENGTH), long: '👋'.repeat(70_000) }, 'told');
    const { name, long } = log.lines.at(-1)!.fields as Record<string, string>;
    expect(name).toBe('é'.repeat(MAX_LOGGED_LENGTH));
    expect(long).toBe(`${'👋'.repeat(127)}…`);
  });

  it('stands before every logger, also once options were adjusted', async () => {
    const memory = await MemoryChat.open();
    const agent = `x\u009B2J${'y'.repeat(60_000)}`;
    await memory.enter({ name: 'ada', agent });
    const told = memory.log.at('debug').find(({ message }) => message === 'session open')!;
    expect(told.fields.agent).toMatch(/^x\uFFFD2Jy+…$/);
    expect(String(told.fields.agent)).toHaveLength(MAX_LOGGED_LENGTH);
  });
});
