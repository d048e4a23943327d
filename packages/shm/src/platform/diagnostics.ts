/**
 * News for monitoring, through `node:diagnostics_channel`: nothing is made, and nothing costs more than a look, while nobody subscribes.
 *
 *     @chat/shm:open             { kind, name, path, created }      a handle was opened
 *     @chat/shm:close            { kind, name, path }               it was closed
 *     @chat/shm:lock-recovered   { name, deceased }                 a mutex was taken from a holder that died; `deceased` may be undefined
 *     @chat/shm:peer-died        { name, pid }                      the process on the other side of a channel is dead
 *     @chat/shm:entries-lost     { name, count }                    a reader of a log was overtaken
 *     @chat/shm:reader-given-up  { name }                           a writer of a log had no patience with a reader any more
 */
import { type Channel, channel } from 'node:diagnostics_channel';

/** What is told. */
export type News = 'open' | 'close' | 'lock-recovered' | 'peer-died' | 'entries-lost' | 'reader-given-up';

const channels: Readonly<Record<News, Channel>> = {
  open: channel('@chat/shm:open'),
  close: channel('@chat/shm:close'),
  'lock-recovered': channel('@chat/shm:lock-recovered'),
  'peer-died': channel('@chat/shm:peer-died'),
  'entries-lost': channel('@chat/shm:entries-lost'),
  'reader-given-up': channel('@chat/shm:reader-given-up'),
};

/** Publishes `message()`, if anybody listens. */
export function tell(news: News, message: () => object): void {
  const listened = channels[news];
  if (listened.hasSubscribers) listened.publish(message());
}
