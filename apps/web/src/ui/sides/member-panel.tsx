/**
 * The members of the room. Choosing one begins private words.
 */

import type { Member } from '@chat/client';
import type { VNode } from 'preact';
import { type Deed, type MemberAction, memberActions } from '../../model/acting/actions.js';
import type { ChatModel } from '../../model/chat-model.js';
import type { RoomConversation } from '../../model/conversation.js';
import { ActionMenu, type MenuItem } from '../marks/action-menu.js';
import { Avatar } from '../marks/avatar.js';
import { Icon } from '../marks/icon.js';

interface MemberPanelProps {
  readonly model: ChatModel;
  readonly conversation: RoomConversation;
  readonly onClose: () => void;
  /** Somebody was chosen. */
  readonly onChosen: () => void;
  /** Something is to be asked about before it is done. */
  readonly onDeed: (deed: Deed) => void;
}

/** More names than this in the document help nobody. */
const MAX_LISTED = 1000;

export function MemberPanel({ model, conversation, onClose, onChosen, onDeed }: MemberPanelProps): VNode {
  const actions = memberActions(conversation.timeline.snapshot.about.role);
  const { room } = conversation;
  const all = [...(room?.members.values() ?? [])];
  const members = all.sort((a, b) => a.name.localeCompare(b.name)).slice(0, MAX_LISTED);
  const missing = (room?.memberCount ?? 0) - members.length;
  return (
    <aside class="members" aria-label="Members">
      <div class="section-title">
        <h2>
          Members <span class="count">{room?.memberCount ?? 0}</span>
        </h2>
        <button type="button" class="icon-button" aria-label="Close the list of members" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <ul>
        {members.map((member) => (
          <li key={member.id}>
            <MemberItem model={model} member={member} onChosen={onChosen} />
            {/* With one action there is nothing to choose. */}
            {actions.length > 1 && member.name !== model.name && (
              <ActionMenu
                label={`Actions on ${member.name}`}
                items={() =>
                  actions.map((action) =>
                    menuItem(action, member.name, { model, conversation, onChosen, onDeed }),
                  )
                }
              />
            )}
          </li>
        ))}
      </ul>
      {missing > 0 && members.length < MAX_LISTED && (
        <button type="button" class="quiet" onClick={() => void model.loadMembers(conversation)}>
          Show {missing.toLocaleString()} more
        </button>
      )}
    </aside>
  );
}

type Ways = Pick<MemberPanelProps, 'model' | 'conversation' | 'onChosen' | 'onDeed'>;

function menuItem(
  action: MemberAction,
  user: string,
  { model, conversation, onChosen, onDeed }: Ways,
): MenuItem {
  switch (action) {
    case 'write':
      return {
        label: 'Write privately',
        run: () => {
          model.talkTo(user);
          onChosen();
        },
      };
    case 'unmute':
      return {
        label: 'Let speak again',
        run: () => void model.type(conversation, `/unmute "${user}"`),
      };
    case 'role':
      return { label: 'Role…', run: () => onDeed({ kind: 'role', user }) };
    default:
      return { label: LABELS[action], isGrave: true, run: () => onDeed({ kind: action, user }) };
  }
}

const LABELS = { mute: 'Mute…', kick: 'Show out…', ban: 'Ban…' };

interface MemberItemProps {
  readonly model: ChatModel;
  readonly member: Member;
  readonly onChosen: () => void;
}

function MemberItem({ model, member: { name }, onChosen }: MemberItemProps): VNode {
  if (name === model.name) {
    return (
      <span class="member">
        <Avatar name={name} small />
        <bdi>{name}</bdi>
        <span class="you">you</span>
      </span>
    );
  }
  return (
    <button
      type="button"
      class="member"
      title="Write privately"
      onClick={() => {
        model.talkTo(name);
        onChosen();
      }}
    >
      <Avatar name={name} small />
      <bdi>{name}</bdi>
    </button>
  );
}
