import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from '../../src/events/on-abort.js';

describe('onAbort', () => {
  it('calls once when the signal is aborted from now on', () => {
    const controller = new AbortController();
    let calls = 0;
    onAbort(controller.signal, () => calls++);
    expect(calls).toBe(0);
    controller.abort();
    controller.signal.dispatchEvent(new Event('abort'));
    expect(calls).toBe(1);
  });

  it('leaves nothing at a signal that lives on', () => {
    const { signal } = new AbortController();
    onAbort(signal, () => {})();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('does without a signal, and leaves one that is aborted already to its caller', () => {
    let calls = 0;
    onAbort(undefined, () => calls++)();
    onAbort(AbortSignal.abort(), () => calls++);
    expect(calls).toBe(0);
  });
});
