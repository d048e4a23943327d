/**
 * A conversation without a face, for user interfaces of any kind: entries in order, own messages on their
 * way, unread ones, who is writing, older pages; and the commands that users type.
 *
 * @packageDocumentation
 */
export { changeText, withdrawnBy } from './change-text.js';
export { ACTION_PREFIX, COMMANDS, type Command, type CommandHelp, parseCommand } from './commands/command.js';
export { completionsFor, type Vocabulary } from './commands/completion.js';
export {
  type Aim,
  carryOutModeration,
  MODERATION_COMMANDS,
  type ModerationCommand,
  REACTIONS,
  RecentMessages,
  ROLES,
  type Said,
} from './commands/moderation.js';
export type {
  GapItem,
  LocalItem,
  MessageItem,
  NoticeItem,
  OutgoingItem,
  TimelineEntry,
  TimelineItem,
  UnreadableItem,
  WithdrawnItem,
} from './items.js';
export { mentionsIn } from './mentions.js';
export { READS_FEATURE } from './reading.js';
export { type Answering, isAmong, REACTIONS_FEATURE, RICH_FEATURE, readRich } from './rich-text.js';
export {
  createTimeline,
  type DirectSource,
  Timeline,
  type TimelineOptions,
  type TimelineSnapshot,
  type TimelineSource,
} from './timeline.js';
