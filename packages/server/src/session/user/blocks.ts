/**
 * From whom a user takes no direct messages: asked for by one of its sessions, kept with the account (of a guest, with its
 * session) like what moderators decide. Whom it holds for is told so: nothing is dropped in silence.
 */
import { type Failure, FailureCode } from '@chat/protocol';
import { claim } from '../../log/claims.js';
import { ClaimKind, type Origin } from '../../log/entry.js';
import { accountPerson, blockScope, keysOf, MAX_BLOCKS, personOf } from '../../log/state/rules.js';
import { userNameProblem } from '../../names/names.js';
import type { SessionContext, SessionPerson } from '../context.js';
import type { Answer } from '../peer.js';

/** What it needs of the server. */
export type BlocksContext = Pick<SessionContext, 'options' | 'log' | 'rules' | 'sessions'>;

/** Takes no direct messages from that user any more, whether or not it is here. */
export async function block(
  context: BlocksContext,
  session: SessionPerson,
  user: string,
): Promise<Answer<'block'>> {
  const whom = whomOf(context, session, user);
  if ('failure' in whom) return whom;
  const scope = blockScope(personOf(session));
  const { rules, options } = context;
  const isNew = !rules.has(scope, 'block', whom.keys);
  const count = [...rules.sanctions(scope, options.clock.now())].length;
  if (isNew && count >= MAX_BLOCKS) {
    const message = `you block ${MAX_BLOCKS} users: /unblock one first`;
    return { failure: { code: FailureCode.TooLarge, message, max: MAX_BLOCKS, actual: count + 1 } };
  }
  const failure = await decide(context, session, { block: whom });
  return failure ? { failure } : {};
}

/** Takes direct messages from that user again. */
export async function unblock(
  context: BlocksContext,
  session: SessionPerson,
  user: string,
): Promise<Answer<'unblock'>> {
  const whom = whomOf(context, session, user);
  if ('failure' in whom) return whom;
  if (!context.rules.has(blockScope(personOf(session)), 'block', whom.keys))
    return failed(FailureCode.NoSuchUser, `you do not block ${user}`);
  const failure = await decide(context, session, { unblock: whom.keys });
  return failure ? { failure } : {};
}

/** From whom it takes none, the oldest first. */
export function listBlocks({ rules, options }: BlocksContext, session: SessionPerson): Answer<'blocks'> {
  const sanctions = [...rules.sanctions(blockScope(personOf(session)), options.clock.now())];
  return { blocks: sanctions.map(([, { target: user, at }]) => ({ user, at })) };
}

/** Why somebody's direct message is not taken by its receiver. */
export function blockRefusal(
  { rules, options }: Pick<BlocksContext, 'rules' | 'options'>,
  from: SessionPerson,
  to: { readonly memberId: number; readonly name: string; readonly account: string | undefined },
): Failure | undefined {
  return rules.blocks(personOf(to), from, options.clock.now()) ? isBlocked(to.name) : undefined;
}

/** What the sender of a direct message is told. */
export function isBlocked(name: string): Failure {
  return { code: FailureCode.Forbidden, message: `${name} takes no direct messages from you` };
}

function whomOf(
  { sessions }: BlocksContext,
  session: SessionPerson,
  user: string,
): { readonly target: string; readonly keys: string[] } | { readonly failure: Failure } {
  const problem = userNameProblem(user);
  if (problem) return failed(FailureCode.NameInvalid, problem);
  const here = sessions.holderOf(user);
  if (here && personOf(here) === personOf(session)) return failed(FailureCode.BadRequest, 'that is you');
  if (here) return { target: here.name, keys: keysOf(here.name, personOf(here)) };
  return { target: user, keys: keysOf(user, accountPerson(user)) };
}

function decide(
  { log, options }: BlocksContext,
  { memberId }: SessionPerson,
  fields: Parameters<typeof claim<typeof ClaimKind.BlocksChanged>>[2],
): Promise<Failure | undefined> {
  return new Promise((resolve) => {
    const origin: Origin = {
      appended: (_entry, { kind }) =>
        resolve(
          kind === 'blocks-changed'
            ? undefined
            : { code: FailureCode.Internal, message: 'the session has ended' },
        ),
      refused: (failure) => resolve(failure),
    };
    log.append(claim(ClaimKind.BlocksChanged, { sender: memberId, at: options.clock.now(), origin }, fields));
  });
}

function failed(code: FailureCode, message: string): { readonly failure: Failure } {
  return { failure: { code, message } };
}
