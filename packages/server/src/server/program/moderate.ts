/** What the program around the server decides: the same requests as those of moderators, without the question who may. */

import type { OptionNames } from '@chat/protocol/check';
import type { ModerationBody, ResponseBodies, Role } from '@chat/protocol/frames';
import { ServerError, ServerErrorCode } from '../../errors.js';
import { isLine } from '../../moderation/is-line.js';
import type { Moderation } from '../../moderation/moderation.js';
import { OPERATOR } from '../../moderation/operator.js';
import { assertNames } from '../../options/option-names.js';
import { refusalError } from './refusal.js';

/** Options of `moderate` and `setRole`. */
export interface ModerateOptions {
  /** The name that is written down, and told to a room. @defaultValue 'operator' */
  readonly as?: string;
}

/** Options of `setRole`. */
export interface SetRoleOptions extends ModerateOptions {
  /** @defaultValue the whole server */
  readonly room?: string;
}

const NAMES: OptionNames<ModerateOptions> = { as: true };
const SET_ROLE_NAMES: OptionNames<SetRoleOptions> = { as: true, room: true };

/** @throws ServerError see `ChatServer.moderate` */
export async function moderate<Request extends ModerationBody>(
  moderation: Moderation,
  request: Request,
  options: ModerateOptions,
): Promise<ResponseBodies[Request['op']]> {
  assertNames(options, NAMES, { method: 'moderate' });
  const { as: name = OPERATOR } = options;
  if (!isLine(name) || name === '' || name.length > 64)
    throw new ServerError(ServerErrorCode.NameInvalid, 'as: a name has 1 to 64 visible characters');
  const answer = await moderation.act({ name }, request);
  if ('failure' in answer) throw refusalError(answer.failure);
  return answer.response as ResponseBodies[Request['op']];
}

/** @throws ServerError see `ChatServer.setRole` */
export async function setRole(
  moderation: Moderation,
  user: string,
  role: Role | 'none',
  options: SetRoleOptions,
): Promise<Role> {
  assertNames(options, SET_ROLE_NAMES, { method: 'setRole' });
  const { room, ...more } = options;
  const request = { op: 'role', user, role, ...(room === undefined ? {} : { room }) } as const;
  return (await moderate(moderation, request, more)).role;
}
