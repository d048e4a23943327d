/**
 * What the reader may do to a message, or to a member, by its role. The server decides; this only spares the user what it
 * would refuse anyway.
 */
import type { RoomAbout } from '@chat/client';
import { type MessageItem, REACTIONS_FEATURE, RICH_FEATURE } from '@chat/client/timeline';

/** Something that can be done to a message. */
export type MessageAction = 'answer' | 'react' | 'copy' | 'edit' | 'take-back';

/** Something that can be done to a member. */
export type MemberAction = 'write' | 'mute' | 'unmute' | 'kick' | 'ban' | 'role';

/** Something that is asked about before it is done. */
export type Deed =
  | { readonly kind: 'take-back'; readonly item: MessageItem }
  | { readonly kind: 'react'; readonly item: MessageItem }
  | { readonly kind: 'kick' | 'mute' | 'ban' | 'role'; readonly user: string }
  | { readonly kind: 'topic'; readonly topic: string };

type Role = RoomAbout['role'];

const WORD_OF_A_MODERATOR: readonly MemberAction[] = ['mute', 'unmute', 'kick', 'ban'];

/** Whether somebody of that role moderates a room. */
export function isModerator(role: Role): boolean {
  return role === 'moderator' || role === 'owner';
}

/**
 * The actions on a message, in the order of a menu.
 *
 * @param epoch - of the log now: positions of another one mean other messages
 */
export function messageActions(
  { id, seq, own }: MessageItem,
  { epoch, role, features }: Pick<RoomAbout, 'role' | 'features'> & { readonly epoch: string },
): MessageAction[] {
  if (id !== `${epoch}-${seq}`) return ['copy'];
  return [
    ...(features?.includes(RICH_FEATURE) ? ['answer' as const] : []),
    ...(features?.includes(REACTIONS_FEATURE) ? ['react' as const] : []),
    'copy',
    ...(own ? ['edit' as const] : []),
    ...(own || isModerator(role) ? ['take-back' as const] : []),
  ];
}

/** The actions on another member, in the order of a menu. */
export function memberActions(role: Role): MemberAction[] {
  return [
    'write',
    ...(isModerator(role) ? WORD_OF_A_MODERATOR : []),
    ...(role === 'owner' ? ['role' as const] : []),
  ];
}
