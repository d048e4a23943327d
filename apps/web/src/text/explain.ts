/**
 * Errors as sentences that tell a person what happened, and what can be done.
 */
import { ClientError, ClientErrorCode, type Gap } from '@chat/client';

const SENTENCES: Partial<Record<ClientErrorCode, string>> = {
  [ClientErrorCode.ConnectFailed]:
    'There is no answer from this server. Check the address, or try again later.',
  [ClientErrorCode.ConnectTimeout]: 'The server took too long to answer.',
  [ClientErrorCode.ConnectionLost]: 'The connection was lost.',
  [ClientErrorCode.GoingAway]: 'The server is restarting.',
  [ClientErrorCode.ServerClosed]: 'The server ended the connection.',
  [ClientErrorCode.NameTaken]: 'Somebody here has this name, or one that looks like it. Choose another one.',
  [ClientErrorCode.Kicked]: 'An operator showed you out.',
  [ClientErrorCode.Banned]: 'An operator showed you out, and does not want you back for a while.',
  [ClientErrorCode.SessionReplaced]: 'You went on in another window.',
  [ClientErrorCode.RateLimited]: 'That was too fast. Wait a moment.',
  [ClientErrorCode.Overloaded]: 'The server is full. Try again later.',
  [ClientErrorCode.NoSuchUser]: 'Nobody here has this name now.',
  [ClientErrorCode.InboxFull]: 'They are away, and no more messages can wait for them.',
  [ClientErrorCode.RoomFull]: 'The room is full.',
  [ClientErrorCode.TooManyRooms]: 'You are in as many rooms as the server allows.',
  [ClientErrorCode.NotMember]: 'You are not in this room.',
  [ClientErrorCode.Unconfirmed]: 'The connection broke just then. Perhaps it arrived, perhaps not.',
  [ClientErrorCode.OutboxFull]: 'Too much is waiting to be sent.',
  [ClientErrorCode.OutboxExpired]: 'It waited too long for a connection and was not sent.',
  [ClientErrorCode.Closed]: 'It was not sent before you disconnected.',
  [ClientErrorCode.VersionUnsupported]:
    'This page and the server do not understand each other. Reload the page.',
  [ClientErrorCode.Protocol]: 'What answers there is not a chat server that this page understands.',
  [ClientErrorCode.UrlUnsupported]: 'This is not the address of a server.',
  [ClientErrorCode.BadRequest]: 'The server does not know how to do that. It may be an older one.',
  [ClientErrorCode.RequestTimeout]: 'The server did not answer in time.',
};

/** An error as a sentence for people. */
export function explain(error: unknown): string {
  if (!ClientError.is(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === ClientErrorCode.TooLarge) {
    return `It is too long: ${error.actual} bytes, and the server takes ${error.max}.`;
  }
  // Rules for names, what a role does not allow, and reasons that an operator wrote, come in the words of the server.
  return SENTENCES[error.code] ?? sentence(error.message);
}

/** Without the code in brackets, which is for programs. */
function sentence(message: string): string {
  const text = message.replace(/ \([a-z\d-]+\)$/, '');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

const GAPS: Readonly<Record<Gap['reason'], string>> = {
  skipped: 'Messages are missing here: this page could not keep up.',
  expired: 'Messages are missing here: you were away for longer than the server remembers.',
  'epoch-changed': 'The server was restarted. What was said before that and not seen here is lost.',
  'session-gone': 'You were away for too long: private messages of that time are lost.',
  hole: 'Messages are missing here.',
  overflow: 'Messages are missing here: there were too many at once.',
};

/** Why messages are missing, for people. */
export function explainGap(reason: Gap['reason']): string {
  return GAPS[reason];
}
