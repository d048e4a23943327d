/**
 * The members of the room. Choosing one begins private words.
 */

import type { Member } from '@chat/client';
import type { VNode } from 'preact';
import type { ChatModel } from '../../model/chat-model.js';
import type { RoomConversation } from '../../model/conversation.js';
import { Avatar } from '../marks/avatar.js';
import { Icon } from '../marks/icon.js';

interface MemberPanelProps {
  readonly model: ChatModel;
  readonly conversation: RoomConversation;
  readonly onClose: () => void;
  /** Somebody was chosen. */
  readonly onChosen: () => void;
}

/** More names than this in the document help nobody. */
const MAX_LISTED = 1000;

export function MemberPanel({ model, conversation, onClose, onChosen }: MemberPanelProps): VNode {
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
