/** Refusals of the log and of the directories, as errors of the program that asked. */
import { type Failure, FailureCode } from '@chat/protocol';
import { ServerError, ServerErrorCode } from '../../errors.js';

const CODES: Partial<Record<FailureCode, ServerErrorCode>> = {
  [FailureCode.TooLarge]: ServerErrorCode.TooLarge,
  [FailureCode.NameInvalid]: ServerErrorCode.NameInvalid,
  [FailureCode.RoomInvalid]: ServerErrorCode.RoomInvalid,
  [FailureCode.TooManyRooms]: ServerErrorCode.TooManyRooms,
  [FailureCode.NoSuchUser]: ServerErrorCode.NoSuchUser,
  [FailureCode.InboxFull]: ServerErrorCode.InboxFull,
  [FailureCode.NoSuchRoom]: ServerErrorCode.NoSuchRoom,
  [FailureCode.NoSuchMessage]: ServerErrorCode.NoSuchMessage,
  [FailureCode.NotMember]: ServerErrorCode.NoSuchUser,
  [FailureCode.BadRequest]: ServerErrorCode.BadOption,
};

/** The error for a refusal; what has no code of its own may work later. */
export function refusalError({ code, message, retryAfterMs, max, actual }: Failure): ServerError {
  return new ServerError(CODES[code] ?? ServerErrorCode.Unavailable, message, { retryAfterMs, max, actual });
}
