import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import { Listeners } from '../../src/server/listeners.js';
import { LogLines } from '../support/log-lines.js';

function setUp() {
  const logger = new LogLines();
  const told: string[] = [];
  return { logger, told, listeners: new Listeners(logger) };
}

const turn = { durationMs: 5 };

describe('Listeners', () => {
  it('calls the listeners of an event in order, until each is removed', () => {
    const { listeners, told } = setUp();
    const stop = new AbortController();
    const remove = listeners.on('turn-ended', ({ durationMs }) => told.push(`one ${durationMs}`));
    listeners.on('turn-ended', () => told.push('two'), { signal: stop.signal });
    listeners.on('room-left', () => told.push('never'));
    listeners.emit('turn-ended', turn);
    remove();
    remove();
    listeners.emit('turn-ended', turn);
    stop.abort();
    listeners.emit('turn-ended', turn);
    expect(told).toEqual(['one 5', 'two', 'two']);
  });

  it('removes one of two registrations of the same function', () => {
    const { listeners, told } = setUp();
    const listener = (): unknown => told.push('called');
    const remove = listeners.on('turn-ended', listener);
    listeners.on('turn-ended', listener);
    remove();
    listeners.emit('turn-ended', turn);
    expect(told).toEqual(['called']);
  });

  it('calls everybody who was there when the event came, whoever is removed meanwhile', () => {
    const { listeners, told } = setUp();
    listeners.on('turn-ended', () => remove());
    const remove = listeners.on('turn-ended', () => told.push('still'));
    listeners.emit('turn-ended', turn);
    listeners.emit('turn-ended', turn);
    expect(told).toEqual(['still']);
  });

  it('logs what a listener throws, now or later, and goes on', async () => {
    const { listeners, told, logger } = setUp();
    listeners.on('turn-ended', () => {
      throw new Error('now');
    });
    listeners.on('turn-ended', () => Promise.reject(new Error('later')));
    listeners.on('turn-ended', () => told.push('called'));
    listeners.emit('turn-ended', turn);
    await Promise.resolve();
    expect(told).toEqual(['called']);
    expect(logger.at('error').map(({ message }) => message)).toEqual([
      'a listener of turn-ended failed',
      'a listener of turn-ended failed',
    ]);
  });

  it('refuses an event that does not exist, and what is no function', () => {
    const { listeners } = setUp();
    for (const name of ['sesion-opened', 'toString', undefined]) {
      expect(() => listeners.on(name as 'room-left', () => {})).toThrow(
        expect.objectContaining({
          code: ServerErrorCode.BadOption,
          message: expect.stringMatching(`^on: there is no event ${name}; there is session-opened, `),
        }),
      );
    }
    expect(() => listeners.on('room-left', 5 as never)).toThrow(TypeError);
  });
});
