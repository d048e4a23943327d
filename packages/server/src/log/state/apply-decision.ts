/**
 * The part of the rule of `apply-entry.ts` that is about what moderators decide.
 *
 * Whether its sender may decide it is asked at its place in the log: a moderator who is one no more at that place has
 * decided nothing, whatever was true when it was asked for.
 */
import { LOBBY, roomKey } from '@chat/protocol';
import type { LogEntry } from '../entry.js';
import type { ChatState } from './chat-state.js';
import type { Decision } from './decision.js';
import { ignored, type Outcome } from './outcome.js';
import { mayDo, rankOf } from './permissions.js';
import { type KeptSettings, type Person, personOf } from './rules.js';

/** Whether that member may do it, in a room or, where the scope is empty, to the server. */
export function mayDecide(
  { rules }: ChatState,
  person: Person,
  scope: string,
  { action, against, change }: Pick<Decision, 'action' | 'against' | 'change'>,
): boolean {
  const me = personOf(person);
  const role = rules.roleOf(scope, me);
  const other = against === undefined || against === me ? undefined : rules.roleOf(scope, against);
  // Nobody makes somebody more than it is itself.
  const isTooMuch = change?.what === 'role' && change.role && rankOf(change.role.role) > rankOf(role);
  return !isTooMuch && mayDo(role, action, other);
}

/** Applies a claim of kind Moderated. */
export function applyDecision(state: ChatState, entry: LogEntry, decision: Decision): Outcome {
  const { room: scope, sender, seq, at } = entry;
  if (sender !== 0) {
    const session = state.sessions.get(sender);
    if (!session) return ignored('no-such-session');
    if (!decision.isAllowed && !mayDecide(state, session, scope, decision)) return ignored('forbidden');
  }
  const { change } = decision;
  const { rules } = state;
  switch (change?.what) {
    case 'role':
      if (change.person.startsWith('member:') && !state.sessions.has(Number(change.person.slice(7))))
        return ignored('no-such-session');
      rules.give(scope, change.person, change.role);
      break;
    case 'settings':
      rules.set(scope, without(rules.settings(scope), change.settings));
      break;
    case 'impose':
      rules.impose(scope, seq, { ...change.sanction, at, keys: change.keys });
      break;
    case 'pardon':
      rules.pardon(scope, change.kind, change.keys);
      break;
  }
  return { kind: 'moderated', scope, decision };
}

/** Settings with others in their place; what is off, or empty, is absent. */
function without(settings: KeptSettings, changed: KeptSettings): KeptSettings {
  return Object.fromEntries(Object.entries({ ...settings, ...changed }).filter(([, value]) => value));
}

/** A room that is made belongs to the one who has made it, unless it belongs to somebody; the lobby is everybody's. */
export function giveOwner({ rules, sessions }: ChatState, key: string, sender: number): void {
  const maker = sessions.get(sender);
  if (!maker || key === LOBBY_KEY || rules.hasRoles(key)) return;
  rules.give(key, personOf(maker), { name: maker.name, role: 'owner' });
}

const LOBBY_KEY = roomKey(LOBBY);
