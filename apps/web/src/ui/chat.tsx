/**
 * The chat itself: conversations on one side, members on the other, and what is said between them. On a
 * narrow screen the sides come in front when they are asked for.
 *
 * Keys: Ctrl+K (or ⌘K) finds a room, Ctrl+F messages, Alt+↑ and Alt+↓ go from one conversation to the next, Escape goes to the
 * message field.
 */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Deed } from '../model/acting/actions.js';
import type { ChatModel } from '../model/chat-model.js';
import type { Conversation } from '../model/conversation.js';
import type { Theme } from '../model/preferences.js';
import { explain } from '../text/explain.js';
import { Composer } from './composer/composer.js';
import { ConnectionBar } from './connection-bar.js';
import { JoinDialog } from './dialogs/join-dialog.js';
import { SearchDialog } from './dialogs/search-dialog.js';
import { Avatar } from './marks/avatar.js';
import { Icon } from './marks/icon.js';
import { NotificationOffer } from './notification-offer.js';
import { MemberPanel } from './sides/member-panel.js';
import { RoomTopic } from './sides/room-topic.js';
import { Sidebar } from './sides/sidebar.js';
import { TimelineView } from './timeline/timeline-view.js';
import { useMedia } from './use-changes.js';

type Windows = typeof import('./windows.js');

interface ChatProps {
  readonly model: ChatModel;
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
}

export function Chat({ model, theme, onTheme }: ChatProps): VNode {
  const isNarrow = useMedia('(max-width: 720px)');
  const isRoomy = useMedia('(min-width: 1000px)');
  const [dialog, setDialog] = useState<'join' | 'search' | 'settings' | undefined>();
  const [deed, setDeed] = useState<Deed | undefined>();
  const [drawer, setDrawer] = useState<'conversations' | 'members' | undefined>();
  const [windows, setWindows] = useState<Windows | undefined>();
  const [wantsMembers, setWantsMembers] = useState(true);
  const { active } = model;
  const excerpt = active?.kind === 'room' ? active.excerpt : undefined;
  const showsMembers = active?.kind === 'room' && (isRoomy ? wantsMembers : drawer === 'members');
  const closeDrawer = (): void => setDrawer(undefined);

  // With the first look, and again where it could not be fetched then.
  const isAsked = deed !== undefined || dialog === 'settings' || excerpt !== undefined;
  useEffect(() => {
    if (!windows) void import('./windows.js').then(setWindows, () => {});
  }, [windows, isAsked]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setDialog('join');
      } else if (isFind(event) && !document.querySelector('dialog[open]')) {
        // The browser's own search finds only what is near the visible part. A second time it is the browser's.
        event.preventDefault();
        setDialog('search');
      } else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
        event.preventDefault();
        step(model, event.key === 'ArrowDown' ? 1 : -1);
      } else if (event.key === 'Escape' && !document.querySelector('dialog[open]')) {
        closeDrawer();
        document.getElementById('message')?.focus();
      }
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [model]);

  return (
    <div class="chat">
      <a class="skip" href="#message">
        Skip to the message field
      </a>
      {(!isNarrow || drawer === 'conversations') && (
        <Sidebar
          model={model}
          onJoin={() => setDialog('join')}
          onSettings={() => setDialog('settings')}
          onChosen={closeDrawer}
        />
      )}
      {drawer && !(drawer === 'members' && isRoomy) && (
        <button type="button" class="backdrop" aria-label="Back to the messages" onClick={closeDrawer} />
      )}
      <main class="room">
        <RoomHeader
          model={model}
          conversation={active}
          isNarrow={isNarrow}
          showsMembers={showsMembers}
          onDeed={setDeed}
          onSearch={() => setDialog('search')}
          onMenu={() => setDrawer(drawer === 'conversations' ? undefined : 'conversations')}
          onMembers={() =>
            isRoomy ? setWantsMembers(!wantsMembers) : setDrawer(drawer === 'members' ? undefined : 'members')
          }
        />
        <ConnectionBar model={model} />
        <NotificationOffer model={model} />
        {active && <Trouble model={model} conversation={active} />}
        {windows && excerpt && active?.kind === 'room' ? (
          <windows.PastView key={excerpt.hit.id} model={model} conversation={active} excerpt={excerpt} />
        ) : (
          active && <TimelineView key={active.id} model={model} conversation={active} onDeed={setDeed} />
        )}
        {active && (
          <Composer
            key={`write:${active.id}`}
            model={model}
            conversation={active}
            onSearch={(words) => {
              if (words !== '') void model.search.find(words, undefined);
              setDialog('search');
            }}
          />
        )}
        {!active && (
          <div class="nowhere">
            <p>You are in no room.</p>
            <button type="button" class="primary" onClick={() => setDialog('join')}>
              Join a room
            </button>
          </div>
        )}
      </main>
      {showsMembers && active?.kind === 'room' && (
        <MemberPanel
          model={model}
          conversation={active}
          onClose={() => (isRoomy ? setWantsMembers(false) : closeDrawer())}
          onChosen={closeDrawer}
          onDeed={setDeed}
        />
      )}
      {windows && deed && active?.kind === 'room' && (
        <windows.DeedDialog
          model={model}
          conversation={active}
          deed={deed}
          onClose={() => setDeed(undefined)}
        />
      )}
      {dialog === 'join' && <JoinDialog model={model} onClose={() => setDialog(undefined)} />}
      {dialog === 'search' && <SearchDialog model={model} onClose={() => setDialog(undefined)} />}
      {windows && dialog === 'settings' && (
        <windows.SettingsDialog
          model={model}
          theme={theme}
          onTheme={onTheme}
          onClose={() => setDialog(undefined)}
        />
      )}
      <div class="unseen" role="log" aria-live="polite" aria-label="What is new">
        {model.announcements.map(({ key, text }) => (
          <p key={key}>{text}</p>
        ))}
      </div>
    </div>
  );
}

/** Ctrl+F, or ⌘F. */
function isFind(event: KeyboardEvent): boolean {
  return (
    event.key.toLowerCase() === 'f' && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
  );
}

function step(model: ChatModel, by: number): void {
  const { conversations, active } = model;
  const at = active ? conversations.indexOf(active) : 0;
  model.show(conversations[(at + by + conversations.length) % conversations.length]);
}

interface RoomHeaderProps {
  readonly model: ChatModel;
  readonly conversation: Conversation | undefined;
  readonly isNarrow: boolean;
  readonly showsMembers: boolean;
  readonly onSearch: () => void;
  readonly onMenu: () => void;
  readonly onMembers: () => void;
  readonly onDeed: (deed: Deed) => void;
}

function RoomHeader({
  model,
  conversation,
  isNarrow,
  showsMembers,
  onSearch,
  onMenu,
  onMembers,
  onDeed,
}: RoomHeaderProps): VNode {
  const others = model.unread - (conversation?.unread ?? 0);
  const room = conversation?.kind === 'room' ? conversation.room : undefined;
  return (
    <header class="room-header">
      {isNarrow && (
        <button type="button" class="icon-button" aria-label="Conversations" onClick={onMenu}>
          <Icon name="menu" />
          {others > 0 && (
            <span class="dot">
              <span class="unseen">{others} unread</span>
            </span>
          )}
        </button>
      )}
      {conversation?.kind === 'direct' && <Avatar name={conversation.name} small />}
      <h1>
        {conversation?.kind === 'room' && (
          <span class="hash" aria-hidden="true">
            #
          </span>
        )}
        <bdi>{conversation?.name}</bdi>
      </h1>
      {conversation?.kind === 'room' && <RoomTopic conversation={conversation} onDeed={onDeed} />}
      {conversation?.kind === 'direct' && <span class="hint">private</span>}
      <span class="space" />
      <button
        type="button"
        class="icon-button"
        aria-label="Search messages"
        title="Search messages (Ctrl+F)"
        onClick={onSearch}
      >
        <Icon name="search" />
      </button>
      {conversation?.kind === 'room' && (
        <button
          type="button"
          class="icon-button labelled"
          aria-label={`${room?.memberCount ?? 0} members`}
          aria-expanded={showsMembers}
          onClick={onMembers}
        >
          <Icon name="people" />
          {room?.memberCount.toLocaleString()}
        </button>
      )}
      {conversation && (
        <button
          type="button"
          class="icon-button"
          aria-label={conversation.kind === 'room' ? `Leave ${conversation.name}` : 'Put this away'}
          title={conversation.kind === 'room' ? 'Leave the room' : 'Put this away'}
          onClick={() => void model.leave(conversation)}
        >
          <Icon name="close" />
        </button>
      )}
    </header>
  );
}

interface TroubleProps {
  readonly model: ChatModel;
  readonly conversation: Conversation;
}

/** A room that one is not in, though one wants to be. */
function Trouble({ model, conversation }: TroubleProps): VNode | null {
  if (conversation.kind !== 'room' || !conversation.error) return null;
  return (
    <div class="connection-bar" role="alert">
      <p>
        <strong>You are not in this room.</strong> {explain(conversation.error)}
      </p>
      <button type="button" class="quiet" onClick={() => void model.join(conversation.name).catch(() => {})}>
        Join again
      </button>
    </div>
  );
}
