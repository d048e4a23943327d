import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../src/events/event-queue.js';

const nothing = () => {};

describe('EventQueue', () => {
  it('gives values in the order in which they were pushed, waiting or not', async () => {
    const queue = new EventQueue<number>({}, nothing);
    const waiting = [queue.next(), queue.next()];
    queue.push(1);
    queue.push(2);
    queue.push(3);
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
    ]);
    expect(await queue.next()).toEqual({ done: false, value: 3 });
  });

  it('gives what is queued before it ends', async () => {
    const queue = new EventQueue<number>({}, nothing);
    queue.push(1);
    queue.end();
    queue.push(2);
    const seen: number[] = [];
    for await (const value of queue) seen.push(value);
    expect(seen).toEqual([1]);
  });

  it('throws its error once, after what is queued, and is at its end then', async () => {
    const queue = new EventQueue<number>({}, nothing);
    queue.push(1);
    queue.end(new Error('over'));
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    await expect(queue.next()).rejects.toThrow('over');
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('rejects the first of several waiting readers and ends the others', async () => {
    const queue = new EventQueue<number>({}, nothing);
    const first = queue.next();
    const second = queue.next();
    queue.end(new Error('over'));
    await expect(first).rejects.toThrow('over');
    expect(await second).toEqual({ done: true, value: undefined });
  });

  it('fails when it is full and says how much it holds', async () => {
    const queue = new EventQueue<number>({ maxQueued: 2 }, nothing);
    for (const value of [1, 2, 3, 4]) queue.push(value);
    expect(await queue.next()).toEqual({ done: false, value: 1 });
    expect(await queue.next()).toEqual({ done: false, value: 2 });
    await expect(queue.next()).rejects.toMatchObject({ code: 'ERR_CLIENT_QUEUE_OVERFLOW', max: 2 });
  });

  it('forgets the oldest when it is full and told so, and counts them', async () => {
    const queue = new EventQueue<number>({ maxQueued: 2, overflow: 'drop-oldest' }, nothing);
    for (const value of [1, 2, 3, 4]) queue.push(value);
    expect(queue.dropped).toBe(2);
    expect(await queue.next()).toEqual({ done: false, value: 3 });
    expect(await queue.next()).toEqual({ done: false, value: 4 });
  });

  it('tells its owner once that nobody reads any more', async () => {
    let ended = 0;
    const queue = new EventQueue<number>({}, () => ended++);
    queue.push(1);
    for await (const _value of queue) break;
    queue.end();
    await queue.return();
    expect(ended).toBe(1);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });

  it('throws the reason of its signal and forgets what is queued', async () => {
    const controller = new AbortController();
    const queue = new EventQueue<number>({ signal: controller.signal }, nothing);
    queue.push(1);
    controller.abort(new Error('enough'));
    await expect(queue.next()).rejects.toThrow('enough');
  });

  it('throws at once when its signal is aborted already', async () => {
    const queue = new EventQueue<number>({ signal: AbortSignal.abort(new Error('before')) }, nothing);
    expect(queue.ended).toBe(true);
    await expect(queue.next()).rejects.toThrow('before');
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a bound of %s', (maxQueued) => {
    expect(() => new EventQueue<number>({ maxQueued }, nothing)).toThrow(RangeError);
  });
});
