/**
 * A conversation without a face, for user interfaces of any kind: entries in order, own messages on their
 * way, unread ones, who is writing, older pages.
 *
 * @packageDocumentation
 */
export { changeText, withdrawnBy } from './change-text.js';
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
export {
  createTimeline,
  type DirectSource,
  Timeline,
  type TimelineOptions,
  type TimelineSnapshot,
  type TimelineSource,
} from './timeline.js';
