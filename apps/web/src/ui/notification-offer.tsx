/**
 * Offers notifications once there was something to tell. While there is nothing to ask it is not there.
 */
import type { VNode } from 'preact';
import type { ChatModel } from '../model/chat-model.js';

export function NotificationOffer({ model: { notifications } }: { readonly model: ChatModel }): VNode | null {
  if (!notifications.isOffered) return null;
  return (
    <div class="connection-bar" role="status">
      <p>Somebody speaks to you. Shall your system tell you while you look elsewhere?</p>
      <button type="button" class="quiet" onClick={() => void notifications.turn(true)}>
        Notify me
      </button>
      <button type="button" class="quiet" onClick={() => void notifications.turn(false)}>
        No
      </button>
    </div>
  );
}
