/**
 * Says that the connection is away, and when the next attempt is made. While all is well it is not there.
 */
import type { VNode } from 'preact';
import type { ChatModel } from '../model/chat-model.js';
import { explain } from '../text/explain.js';
import { useNow } from './use-changes.js';

export function ConnectionBar({ model }: { readonly model: ChatModel }): VNode | null {
  const { state } = model;
  const waiting = state.status === 'reconnecting';
  const now = useNow(waiting);
  if (!waiting) return null;
  const seconds = Math.ceil((state.nextAt - now) / 1000);
  return (
    <div class="connection-bar">
      <span class="pulse" aria-hidden="true" />
      <p>
        <strong>{explain(state.error)}</strong>{' '}
        {seconds > 0 ? `Trying again in ${seconds} s.` : 'Connecting…'}
        {state.attempt > 1 && <span class="attempt"> Attempt {state.attempt}.</span>}
      </p>
      {seconds > 0 && (
        <button type="button" class="quiet" onClick={() => model.reconnectNow()}>
          Try now
        </button>
      )}
    </div>
  );
}
