/** What the room is about; who may say so chooses it to change it. */
import type { VNode } from 'preact';
import { type Deed, isModerator } from '../../model/acting/actions.js';
import type { RoomConversation } from '../../model/conversation.js';
import { calmText } from '../../text/calm-text.js';

interface RoomTopicProps {
  readonly conversation: RoomConversation;
  readonly onDeed: (deed: Deed) => void;
}

export function RoomTopic({ conversation, onDeed }: RoomTopicProps): VNode | null {
  const { settings, role } = conversation.timeline.snapshot.about;
  const topic = settings?.topic ?? '';
  if (!isModerator(role)) {
    return topic === '' ? null : (
      <p class="topic" dir="auto" title={topic}>
        {calmText(topic)}
      </p>
    );
  }
  return (
    <button
      type="button"
      class="topic"
      dir="auto"
      aria-label={`Topic: ${topic || 'none'}. Change it`}
      title={topic === '' ? undefined : topic}
      onClick={() => onDeed({ kind: 'topic', topic })}
    >
      {topic === '' ? 'Set a topic' : calmText(topic)}
    </button>
  );
}
