import { CloseCode } from '@chat/protocol';
import { describe, expect, it } from 'vitest';
import { Reconnect, reconnectDelay } from '../../src/connection/reconnect.js';
import { ClientError } from '../../src/errors.js';
import { FakeClock } from '../support/fake-clock.js';

const options = {
  enabled: true,
  initial: false,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxAttempts: Infinity,
  nameTakenTimeoutMs: 60_000,
  maxRetryAfterMs: 60_000,
};

describe('reconnectDelay', () => {
  it('doubles its upper bound with each attempt, up to the cap', () => {
    const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((attempt) => reconnectDelay(attempt, options, () => 1));
    expect(bounds).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it('spreads the delay over the whole range from zero', () => {
    expect(reconnectDelay(3, options, () => 0)).toBe(0);
    expect(reconnectDelay(3, options, () => 0.25)).toBe(500);
  });

  it('is never sooner than the server asked for', () => {
    expect(reconnectDelay(1, options, () => 0.5, 5000)).toBe(5000);
    expect(reconnectDelay(6, options, () => 1, 5000)).toBe(16_000);
  });

  it('is not later than maxRetryAfterMs, whatever the server asks for', () => {
    expect(reconnectDelay(1, options, () => 0.5, 0xffff_ffff)).toBe(options.maxRetryAfterMs);
  });
});

describe('Reconnect', () => {
  const lost = new ClientError('ERR_CLIENT_CONNECTION_LOST', 'gone');

  function planner(changes: Partial<typeof options> = {}) {
    const clock = new FakeClock();
    const due: number[] = [];
    const reconnect = new Reconnect(
      { ...options, ...changes },
      clock,
      () => 1,
      () => due.push(clock.now()),
    );
    return { clock, due, reconnect, start: clock.now() };
  }

  it('makes the attempt when it is due, or at once when told so, and never twice', async () => {
    const { clock, due, reconnect, start } = planner();
    expect(reconnect.plan(lost, true)).toEqual({ attempt: 1, nextAt: start + 500 });
    await clock.advance(500);
    expect(due).toEqual([start + 500]);
    expect(reconnect.plan(lost, true)).toEqual({ attempt: 2, nextAt: start + 1500 });
    reconnect.now();
    reconnect.now();
    await clock.advance(60_000);
    expect(due).toEqual([start + 500, start + 500]);
  });

  it('begins with short delays again after a connection that lasted, and not before', async () => {
    const { clock, reconnect } = planner();
    reconnect.plan(lost, true);
    reconnect.opened();
    await clock.advance(4999);
    expect(reconnect.plan(lost, true)).toMatchObject({ attempt: 2 });
    reconnect.opened();
    await clock.advance(5000);
    expect(reconnect.plan(lost, true)).toMatchObject({ attempt: 1 });
    await clock.advance(60_000);
    expect(reconnect.plan(lost, true)).toMatchObject({ attempt: 2 });
  });

  it('knows when it makes no sense', () => {
    expect(planner({ enabled: false }).reconnect.plan(lost, true)).toBeUndefined();
    expect(planner().reconnect.plan(lost, false)).toBeUndefined();
    expect(planner({ initial: true }).reconnect.plan(lost, false)).toBeDefined();
    expect(planner({ maxAttempts: 0.5 }).reconnect.plan(lost, true)).toBeUndefined();
    const kicked = new ClientError('ERR_CLIENT_KICKED', 'no', { closeCode: CloseCode.Kicked });
    expect(planner().reconnect.plan(kicked, true)).toBeUndefined();
  });

  it('leaves no timer when reset', async () => {
    const { clock, due, reconnect } = planner();
    reconnect.plan(lost, true);
    reconnect.reset();
    expect(clock.timers).toBe(0);
    await clock.advance(60_000);
    expect(due).toEqual([]);
    expect(reconnect.plan(lost, true)).toMatchObject({ attempt: 1 });
  });
});
