/**
 * Rooms and people one talks to, and oneself: the way around.
 */
import type { ComponentChildren, VNode } from 'preact';
import type { ChatModel } from '../../model/chat-model.js';
import type { Conversation } from '../../model/conversation.js';
import { shownAddress } from '../../sign-in/server-address.js';
import { Avatar } from '../marks/avatar.js';
import { Icon } from '../marks/icon.js';

interface SidebarProps {
  readonly model: ChatModel;
  readonly onJoin: () => void;
  readonly onSettings: () => void;
  /** A conversation was chosen. */
  readonly onChosen: () => void;
}

export function Sidebar({ model, onJoin, onSettings, onChosen }: SidebarProps): VNode {
  const rooms = model.conversations.filter(({ kind }) => kind === 'room');
  const people = model.conversations.filter(({ kind }) => kind === 'direct');
  const choose = (conversation: Conversation): void => {
    model.show(conversation);
    onChosen();
  };
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="server">
        <img src="icon.svg" alt="" width="24" height="24" />
        <span class="address" title={model.server}>
          {shownAddress(model.server)}
        </span>
      </header>
      <div class="lists">
        <Section
          title="Rooms"
          action={
            <button type="button" class="icon-button" aria-label="Join a room" onClick={onJoin}>
              <Icon name="add" />
            </button>
          }
        >
          {rooms.map((conversation) => (
            <Item key={conversation.id} model={model} conversation={conversation} onChoose={choose} />
          ))}
        </Section>
        {people.length > 0 && (
          <Section title="Private">
            {people.map((conversation) => (
              <Item key={conversation.id} model={model} conversation={conversation} onChoose={choose} />
            ))}
          </Section>
        )}
      </div>
      <footer class="self">
        <Avatar name={model.name} />
        <span class="self-name">
          <bdi>{model.name}</bdi>
          <small>{model.state.status === 'open' ? 'connected' : 'not connected'}</small>
        </span>
        <button type="button" class="icon-button" aria-label="Settings" onClick={onSettings}>
          <Icon name="settings" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Disconnect"
          title="Disconnect"
          onClick={() => model.disconnect()}
        >
          <Icon name="leave" />
        </button>
      </footer>
    </nav>
  );
}

interface SectionProps {
  readonly title: string;
  readonly action?: VNode;
  readonly children: ComponentChildren;
}

function Section({ title, action, children }: SectionProps): VNode {
  return (
    <section>
      <div class="section-title">
        <h2>{title}</h2>
        {action}
      </div>
      <ul>{children}</ul>
    </section>
  );
}

interface ItemProps {
  readonly model: ChatModel;
  readonly conversation: Conversation;
  readonly onChoose: (conversation: Conversation) => void;
}

function Item({ model, conversation, onChoose }: ItemProps): VNode {
  const { kind, name, unread } = conversation;
  const isActive = model.active === conversation;
  return (
    <li>
      <button
        type="button"
        class={unread > 0 ? 'conversation has-unread' : 'conversation'}
        aria-current={isActive ? 'page' : undefined}
        onClick={() => onChoose(conversation)}
      >
        {kind === 'room' ? (
          <span class="hash" aria-hidden="true">
            #
          </span>
        ) : (
          <Avatar name={name} small />
        )}
        <bdi class="conversation-name">{name}</bdi>
        {unread > 0 && (
          <span class="badge">
            {unread > 999 ? '999+' : unread}
            <span class="unseen"> unread</span>
          </span>
        )}
      </button>
    </li>
  );
}
