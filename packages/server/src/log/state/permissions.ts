/**
 * Who may do what: for each action the least role that it takes. `docs/moderation.md` has the same table, and a test holds
 * one against the other.
 *
 * Beside the table one rule: nobody acts against somebody of the same or of a greater role, but an owner, who may act
 * against a moderator, and everybody against itself.
 */
import type { Role } from '@chat/protocol/frames';

/** From the least to the most. */
export const ROLES: readonly Role[] = ['guest', 'member', 'moderator', 'owner'];

/** An action that takes a role. */
export type ModerationAction =
  | 'topic'
  | 'invite'
  | 'kick'
  | 'mute'
  | 'ban'
  | 'take-back'
  | 'audit'
  | 'mode'
  | 'role';

/** What takes a role, and the least one. */
export const LEAST_ROLE: Readonly<Record<ModerationAction, Role>> = {
  topic: 'moderator',
  invite: 'moderator',
  kick: 'moderator',
  mute: 'moderator',
  ban: 'moderator',
  'take-back': 'moderator',
  audit: 'moderator',
  mode: 'owner',
  role: 'owner',
};

/** Actions against somebody: they take a greater role than the other has. */
const AGAINST: ReadonlySet<ModerationAction> = new Set(['kick', 'mute', 'ban', 'role']);

/** How much a role is. */
export function rankOf(role: Role): number {
  return ROLES.indexOf(role);
}

/**
 * Whether somebody of that role may do it.
 *
 * @param other the role of the one whom it is done to; absent where it is nobody, or oneself
 */
export function mayDo(role: Role, action: ModerationAction, other?: Role): boolean {
  if (rankOf(role) < rankOf(LEAST_ROLE[action])) return false;
  return other === undefined || !AGAINST.has(action) || rankOf(other) < rankOf(role);
}
