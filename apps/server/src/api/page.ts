/** Lists page by page, in the order of their names; a cursor is the name of the last item. */
import { roomKey } from '@chat/protocol';
import { type ChatServer, ServerError, ServerErrorCode } from '@chat/server';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** A page of `items`, and where the next one begins. */
export function pageOf<Item extends { readonly name: string }>(
  items: readonly Item[],
  limit = DEFAULT_PAGE,
  cursor = '',
): { readonly items: readonly Item[]; readonly cursor?: string } {
  const count = Math.min(limit, MAX_PAGE);
  const behind = items.filter(({ name }) => name > cursor).sort((a, b) => (a.name < b.name ? -1 : 1));
  const page = behind.slice(0, count);
  return behind.length > count ? { items: page, cursor: page.at(-1)!.name } : { items: page };
}

/**
 * The room of that name.
 *
 * @throws ServerError `ERR_SERVER_NO_SUCH_ROOM`
 */
export async function findRoom(
  server: ChatServer,
  room: string,
): Promise<{ readonly memberCount: number; isIn(name: string): boolean }> {
  const key = roomKey(room.slice(0, MAX_PAGE));
  const isIn = (name: string): boolean => roomKey(name) === key;
  // The shortest of those that begin with a name comes first.
  const [found] = (await server.rooms({ prefix: room, limit: 1 })).rooms;
  if (found && isIn(found.room)) return { memberCount: found.memberCount, isIn };
  throw new ServerError(ServerErrorCode.NoSuchRoom, `there is no room ${room.slice(0, 64)}`);
}
