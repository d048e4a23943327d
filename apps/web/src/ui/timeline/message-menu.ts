/** The menu at a message. */
import type { MessageItem } from '@chat/client/timeline';
import { type Deed, type MessageAction, messageActions } from '../../model/acting/actions.js';
import type { ChatModel } from '../../model/chat-model.js';
import type { Conversation } from '../../model/conversation.js';
import type { MenuItem } from '../marks/action-menu.js';

export function messageMenu(
  model: ChatModel,
  conversation: Conversation,
  item: MessageItem,
  onDeed: (deed: Deed) => void,
): MenuItem[] {
  const { about } = conversation.timeline.snapshot;
  // Direct messages cannot be corrected.
  const epoch = conversation.kind === 'room' ? model.epoch : '';
  const entries: Readonly<Record<MessageAction, MenuItem>> = {
    answer: { label: 'Answer', run: () => model.answer(conversation, item) },
    react: { label: 'React', run: () => onDeed({ kind: 'react', item }) },
    copy: {
      label: 'Copy the text',
      run: () => void navigator.clipboard?.writeText(item.value).catch(() => {}),
    },
    edit: { label: 'Edit', run: () => model.edit(conversation, item) },
    'take-back': { label: 'Take back', isGrave: true, run: () => onDeed({ kind: 'take-back', item }) },
  };
  return messageActions(item, { ...about, epoch }).map((action) => entries[action]);
}
