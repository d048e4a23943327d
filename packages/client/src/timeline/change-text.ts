/** What a notice of a later kind says, in words: who did what to a message, or to the room. */
import { CodecTag, jsonCodec } from '@chat/protocol';
import type { Withdrawn } from '@chat/protocol/frames';
import type { Notice, UnreadableMessage } from '../rooms/entry.js';

/**
 * What the member of a notice has done, to be put behind its name: `has taken back a message of bob`. Undefined for comings,
 * goings and renames.
 */
export function changeText({ kind, member, change = {} }: Notice): string | undefined {
  switch (kind) {
    case 'taken-back':
      return `has taken back ${change.of?.id === member.id ? 'a message' : `a message of ${change.of?.name}`}`;
    case 'edited':
      return 'has edited a message';
    case 'reacted': {
      const whose = change.of?.id === member.id ? 'a message' : `a message of ${change.of?.name}`;
      return change.removed ? `takes back ${change.reaction}` : `reacts to ${whose} with ${change.reaction}`;
    }
    case 'changed':
      return change.role ? `has made ${change.role.name} ${change.role.role}` : settingsText(change);
    case 'unknown':
      return 'did something that this program does not know of';
    default:
      return undefined;
  }
}

/** Who has taken back what was a message once; undefined for another message that cannot be read. */
export function withdrawnBy({ codec, body }: UnreadableMessage): string | undefined {
  return codec === CodecTag.Withdrawn ? (jsonCodec.decode(body) as Withdrawn).by : undefined;
}

function settingsText({ settings = {} }: NonNullable<Notice['change']>): string {
  const { topic, byInvitation, readOnly, hidden, slowMs } = settings;
  const parts = [
    topic === undefined ? 'no topic' : `topic: ${topic}`,
    ...(byInvitation ? ['by invitation'] : []),
    ...(readOnly ? ['read-only'] : []),
    ...(hidden ? ['hidden'] : []),
    ...(slowMs ? [`one message in ${Math.ceil(slowMs / 1000)} s`] : []),
  ];
  return `has changed the room: ${parts.join(', ')}`;
}
