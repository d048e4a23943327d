import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Listeners } from '../../src/events/listeners.js';
import { turns } from '../support/fake-clock.js';

interface Events {
  readonly tick: number;
  readonly tock: string;
}

function listeners() {
  const errors: unknown[] = [];
  return {
    events: new Listeners<Events>('tick,tock', (error, event) => errors.push([error, event])),
    errors,
  };
}

describe('Listeners', () => {
  it('calls every listener of the event, in the order in which they were added', () => {
    const { events } = listeners();
    const seen: unknown[] = [];
    events.on('tick', (value) => seen.push(['first', value]));
    events.on('tock', (value) => seen.push(['other', value]));
    events.on('tick', (value) => seen.push(['second', value]));
    events.emit('tick', 1);
    expect(seen).toEqual([
      ['first', 1],
      ['second', 1],
    ]);
  });

  it('refuses an event that does not exist, and names those that do', () => {
    const { events } = listeners();
    for (const name of ['tik', 'toString', '']) {
      expect(() => events.on(name as 'tick', () => {})).toThrow(
        new TypeError(`unknown event "${name}", there is tick,tock`),
      );
    }
    expect(events.count).toBe(0);
  });

  it('calls the others when one throws, and reports the error', () => {
    const { events, errors } = listeners();
    const seen: number[] = [];
    events.on('tick', () => {
      throw new Error('mine');
    });
    events.on('tick', (value) => seen.push(value));
    events.emit('tick', 1);
    expect(seen).toEqual([1]);
    expect(errors).toEqual([[new Error('mine'), 'tick']]);
  });

  it('reports the rejection of an asynchronous listener', async () => {
    const { events, errors } = listeners();
    events.on('tick', async () => {
      throw new Error('later');
    });
    events.emit('tick', 1);
    await turns();
    expect(errors).toEqual([[new Error('later'), 'tick']]);
  });

  it('forgets a listener that was removed, had its one call, or whose signal was aborted', () => {
    const { events } = listeners();
    const seen: string[] = [];
    const controller = new AbortController();
    const remove = events.on('tick', () => seen.push('removed'));
    events.on('tick', () => seen.push('once'), { once: true });
    events.on('tick', () => seen.push('aborted'), { signal: controller.signal });
    events.on('tick', () => seen.push('never'), { signal: AbortSignal.abort() });
    events.emit('tick', 1);
    expect(seen).toEqual(['removed', 'once', 'aborted']);
    remove();
    remove();
    controller.abort();
    events.emit('tick', 2);
    expect(seen).toHaveLength(3);
    expect(events.count).toBe(0);
    expect(events.has('tick')).toBe(false);
  });

  it('leaves nothing at a signal that lives on', () => {
    const { events } = listeners();
    const { signal } = new AbortController();
    events.on('tick', () => {}, { signal, once: true });
    const remove = events.on('tick', () => {}, { signal });
    const stream = events.stream({ signal }, 'tick', 'tock');
    expect(getEventListeners(signal, 'abort')).toHaveLength(3);
    events.emit('tick', 1);
    remove();
    void stream.return();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('does not call a listener that was added during the event', () => {
    const { events } = listeners();
    const seen: string[] = [];
    events.on('tick', () => events.on('tick', () => seen.push('late')), { once: true });
    events.emit('tick', 1);
    expect(seen).toEqual([]);
    events.emit('tick', 2);
    expect(seen).toEqual(['late']);
  });

  it('gives the values of several events to one iterator, in the order in which they come', async () => {
    const { events } = listeners();
    const stream = events.stream({}, 'tick', 'tock');
    expect(events.count).toBe(2);
    events.emit('tick', 1);
    events.emit('tock', 'two');
    events.emit('tick', 3);
    events.end('tock');
    events.emit('tick', 4);
    const seen: unknown[] = [];
    for await (const value of stream) seen.push(value);
    expect(seen).toEqual([1, 'two', 3]);
    expect(events.count).toBe(0);
  });

  it('ends the iterators of one event with an error, and no others, nor listeners', async () => {
    const { events } = listeners();
    const seen: number[] = [];
    events.on('tick', (value) => seen.push(value));
    const ticks = events.stream({}, 'tick');
    const tocks = events.stream({}, 'tock');
    events.end('tick', new Error('over'));
    await expect(ticks.next()).rejects.toThrow('over');
    events.emit('tick', 1);
    events.emit('tock', 'still');
    expect(seen).toEqual([1]);
    expect(await tocks.next()).toEqual({ done: false, value: 'still' });
  });

  it('does not keep an iterator that is over, or whose signal is aborted already', async () => {
    const { events } = listeners();
    const controller = new AbortController();
    const aborted = events.stream({ signal: AbortSignal.abort(new Error('before')) }, 'tick', 'tock');
    events.stream({ signal: controller.signal }, 'tick');
    await events.stream({}, 'tick', 'tock').return();
    controller.abort();
    expect(events.count).toBe(0);
    await expect(aborted.next()).rejects.toThrow('before');
  });

  it('refuses what is not a function', () => {
    expect(() => listeners().events.on('tick', undefined as never)).toThrow(TypeError);
  });
});
