/** A server made of what was said, whose refusals name the places where it was said. */
import {
  type ChatServer,
  type ChatServerOptions,
  createChatServer,
  ServerError,
  ServerErrorCode,
} from '@chat/server';
import { type SourcedSettings, withPlaces } from '../command-line/settings.js';
import { UsageError } from '../command-line/usage-error.js';

/** @throws UsageError when options do not fit together: with the places of those that it speaks of */
export function createCheckedServer(given: SourcedSettings, options: ChatServerOptions): ChatServer {
  try {
    return createChatServer(options);
  } catch (error) {
    if (!ServerError.is(error) || error.code !== ServerErrorCode.BadOption) throw error;
    throw new UsageError(withPlaces(error.message, error.message.match(/\w+/g) ?? [], given));
  }
}
