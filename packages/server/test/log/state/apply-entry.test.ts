/** The rule by which entries change the state: the same for everybody, from any position, whatever comes in whichever order. */
import { CloseCode } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ban, claim, hashSecret, isSecretOf } from '../../../src/log/claims.js';
import { ClaimKind, type Draft, inboxKey, inboxMember, type LogEntry } from '../../../src/log/entry.js';
import { applyEntry } from '../../../src/log/state/apply-entry.js';
import { banKeys, ChatState, type SessionKicked } from '../../../src/log/state/chat-state.js';
import type { Decision } from '../../../src/log/state/decision.js';
import type { Outcome } from '../../../src/log/state/outcome.js';
import { deviceOf, sessionNumber, userOf } from '../../../src/log/state/session-number.js';
import { looks } from '../../../src/names/names.js';
import { arbitraryDecision } from '../../support/arbitrary-decision.js';

const AT = 1_700_000_000_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let opened = 0;
const open = (name: string): Draft =>
  claim(
    ClaimKind.SessionOpened,
    { name: bytes(name), at: AT },
    { id: `s${++opened}`, secretHash: hashSecret('secret'), isResumable: true },
  );
/** A session of an account; one more of its user, if that is here. */
const openOf = (account: string, isFurther = true): Draft =>
  claim(
    ClaimKind.SessionOpened,
    { name: bytes(account), at: AT },
    {
      id: `s${++opened}`,
      secretHash: hashSecret('secret'),
      account,
      isResumable: true,
      ...(isFurther ? { isFurther } : {}),
    },
  );
const rename = (sender: number, name: string): Draft =>
  claim(ClaimKind.SessionRenamed, { sender, name: bytes(name), at: AT }, undefined);
const end = (sender: number): Draft => claim(ClaimKind.SessionEnded, { sender, at: AT }, undefined);
const make = (room: string): Draft =>
  claim(ClaimKind.RoomOpened, { room, name: bytes(room), at: AT }, undefined);
const forget = (room: string): Draft => claim(ClaimKind.RoomForgotten, { room, at: AT }, undefined);
const kick = (sender: number, at: number, more: Partial<SessionKicked> = {}): Draft =>
  claim(
    ClaimKind.SessionKicked,
    { sender, at },
    { code: CloseCode.Kicked, reason: 'out', until: at + 10, ...more },
  );
const ban = (kind: typeof ClaimKind.Banned | typeof ClaimKind.Unbanned, fields: Ban): Draft =>
  claim(kind, { at: AT }, fields);
const decide = (sender: number, room: string, decision: Decision): Draft =>
  claim(ClaimKind.Moderated, { sender, room, at: AT }, decision);
const read = (sender: number, ...reads: readonly (readonly [string, number])[]): Draft =>
  claim(ClaimKind.ReadUpTo, { sender, at: AT }, { reads });
const message = (sender: number, room: string, publishId: number): Draft => ({
  ...notice(sender, room, NoticeKind.Joined),
  type: FrameType.Message,
  kind: 0,
  publishId,
});

function notice(sender: number, room: string, kind: NoticeKind): Draft {
  const name = bytes(`m${sender}`);
  const body = bytes(kind > NoticeKind.Gone ? '{"seq":1,"codec":1,"text":"x"}' : '');
  return {
    room,
    type: FrameType.Notice,
    codec: 0,
    kind,
    sender,
    name,
    body,
    at: AT,
    publishId: 0,
    origin: undefined,
  };
}

class Replica {
  readonly state = new ChatState();

  apply(...drafts: readonly Draft[]): Outcome[] {
    return drafts.map((draft) => applyEntry(this.state, { ...draft, seq: this.state.position + 1 }));
  }
}

const NAMES = ['ada', 'ADA', 'bob', 'b0b', 'аda', 'carol'];
const ROOMS = ['lobby', 'tea', 'x'];
const name = fc.constantFrom(...NAMES);
const room = fc.constantFrom(...ROOMS);
const user = fc.integer({ min: 1, max: 8 });
const sender = fc.oneof(
  { weight: 3, arbitrary: user },
  {
    weight: 1,
    arbitrary: fc.tuple(user, fc.integer({ min: 1, max: 3 })).map(([id, n]) => sessionNumber(id, n)),
  },
);
const place = fc.oneof({ weight: 3, arbitrary: room }, { weight: 1, arbitrary: user.map(inboxKey) });
const draft: fc.Arbitrary<Draft> = fc.oneof(
  { weight: 3, arbitrary: name.map(open) },
  { weight: 4, arbitrary: fc.constantFrom('ada', 'dora').map((account) => openOf(account)) },
  { weight: 1, arbitrary: fc.constantFrom('ada', 'eve').map((account) => openOf(account, false)) },
  { weight: 2, arbitrary: fc.tuple(sender, name).map(([who, to]) => rename(who, to)) },
  { weight: 2, arbitrary: sender.map(end) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(sender, fc.nat(30), fc.subarray(NAMES))
      .map(([who, later, names]) =>
        kick(who, AT + later, { banned: banKeys({ looks: names.flatMap(looks), addresses: [] }) }),
      ),
  },
  { weight: 3, arbitrary: room.map(make) },
  { weight: 2, arbitrary: room.map(forget) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(sender, room, fc.constantFrom(...Object.values(NoticeKind)))
      .map(([who, where, kind]) => notice(who, where, kind)),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(sender, place, fc.integer({ min: 0, max: 6 }))
      .map(([who, where, number]) => message(who, where, number)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(user, name, fc.boolean()).map(([who, whom, isBlock]) => {
      const keys = looks(whom).map((look) => `look:${look}`);
      const fields = isBlock ? { block: { target: whom, keys } } : { unblock: keys };
      return claim(ClaimKind.BlocksChanged, { sender: who, at: AT }, fields);
    }),
  },
  {
    weight: 6,
    arbitrary: fc
      .tuple(user, fc.array(fc.tuple(fc.oneof(room, fc.constant('@bob')), fc.nat(30)), { maxLength: 3 }))
      .map(([who, reads]) => read(who, ...reads)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(8), fc.oneof(room, fc.constant('')), arbitraryDecision)
      .map(([who, where, decision]) => decide(who, where, decision)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, fc.constantFrom(ClaimKind.Banned, ClaimKind.Unbanned), fc.integer({ min: -1, max: 1 }))
      .map(([who, kind, later]) =>
        ban(kind, { looks: looks(who), addresses: ['::1'], until: AT + later, target: who }),
      ),
  },
);

describe('applyEntry', () => {
  it('comes to the same state from any snapshot on, and holds what may never be otherwise', () => {
    fc.assert(
      fc.property(fc.array(draft, { maxLength: 120, size: 'max' }), fc.nat(), (drafts, cut) => {
        const entries: LogEntry[] = drafts.map((one, i) => ({ ...one, seq: i + 1 }));
        const whole = new ChatState();
        const ids = new Set<number>();
        const handles = new Set<number>();
        const published = new Set<string>();
        const present = new Present();
        for (const entry of entries) {
          const places = [...whole.rooms.values()].filter(({ members }) => members.has(entry.sender));
          const outcome = applyEntry(whole, entry);
          present.told(outcome);
          expect(present.rooms).toEqual(usersOf(whole));
          if (outcome.kind === 'session-ended') expect(outcome.rooms).toEqual(places);
          if (outcome.kind === 'session-opened') {
            // The number of a further session is free again when that has ended, and that of a user never.
            const { memberId } = outcome.session;
            if (deviceOf(memberId) === 0) expect(ids.has(memberId)).toBe(false);
            else expect(ids.has(userOf(memberId))).toBe(true);
            ids.add(memberId);
          }
          if (outcome.kind === 'room-opened') {
            expect(handles.has(outcome.room.handle)).toBe(false);
            handles.add(outcome.room.handle);
          }
          if (outcome.kind === 'shown' && entry.publishId > 0 && whole.sessions.has(entry.sender)) {
            const publish = `${entry.sender} ${entry.publishId}`;
            expect(published.has(publish)).toBe(false);
            published.add(publish);
          }
          // What a guest has decided about its own direct messages ends with it.
          for (const { scope } of whole.rules) {
            const [, guest] = /^\0member:(\d+)$/.exec(scope) ?? [];
            if (guest !== undefined) expect(whole.sessions.has(Number(guest))).toBe(true);
          }
          for (const { place, seq } of whole.reads) {
            expect(seq).toBeLessThan(entry.seq);
            expect(place === '@bob' || whole.rooms.has(place)).toBe(true);
          }
          const reader = entry.type === FrameType.Message ? inboxMember(entry.room) : undefined;
          if (reader !== undefined && !whole.hasUser(reader)) expect(outcome.kind).not.toBe('shown');
          const names = new Map(
            Array.from(whole.sessions.values(), ({ memberId, name }) => [userOf(memberId), name] as const),
          );
          for (const { memberId, name } of whole.sessions.values())
            expect(names.get(userOf(memberId))).toBe(name);
          const taken = [...names.values()].flatMap(looks);
          expect(new Set(taken).size).toBe(taken.length);
          for (const { members, further } of whole.rooms.values()) {
            expect(members.size - further).toBe(new Set(Array.from(members.keys(), userOf)).size);
            for (const member of members.keys()) expect(whole.sessions.has(member)).toBe(true);
          }
        }
        // Another replica begins in the middle, with what was written down there.
        const at = entries.length === 0 ? 0 : cut % entries.length;
        const early = new ChatState();
        for (const entry of entries.slice(0, at)) applyEntry(early, entry);
        const late = new ChatState().load(JSON.parse(JSON.stringify(early.snapshot())));
        for (const entry of entries.slice(at)) applyEntry(late, entry);
        expect(late.snapshot()).toEqual(JSON.parse(JSON.stringify(whole.snapshot())));
        expect([...late.reads]).toEqual([...whole.reads]);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it('lets several sessions of an account be one user, who comes with the first and leaves with the last', () => {
    const { state, apply } = bound();
    const further = sessionNumber(1, 1);
    const kinds = (...drafts: readonly Draft[]): string[] => apply(...drafts).map(({ kind }) => kind);
    expect(kinds(openOf('ada'), openOf('ada'), make('tea'))).toEqual([
      'session-opened',
      'session-opened',
      'room-opened',
    ]);
    expect([...state.sessions.keys()]).toEqual([1, further]);
    const joined = [1, further].map((number) => notice(number, 'tea', NoticeKind.Joined));
    expect(kinds(...joined)).toEqual(['joined', 'also-joined']);
    expect(kinds(notice(1, 'tea', NoticeKind.Left), end(1))).toEqual(['also-left', 'session-ended']);
    expect(kinds(message(1, inboxKey(1), 0))).toEqual(['shown']);
    expect(state.holderOf('ADA')?.memberId).toBe(further);
    expect(kinds(openOf('ada'))).toEqual(['session-opened']);
    expect([...state.sessions.keys()]).toEqual([further, sessionNumber(1, 2)]);
    expect(apply(kick(further, AT))).toMatchObject([{ kind: 'session-kicked', left: [{ key: 'tea' }] }]);
    expect(kinds(end(sessionNumber(1, 2)), open('ada'))).toEqual(['session-ended', 'session-opened']);
    expect(state.lastMember).toBe(2);
  });

  it('knows how far a user with an account has read: only forwards, only what is there, and over its sessions', () => {
    const { state, apply } = bound();
    apply(openOf('ada'), open('bob'), make('tea'), message(1, 'tea', 1), message(1, 'tea', 2));
    const of = (draft: Draft): unknown => {
      const [outcome] = apply(draft);
      return outcome!.kind === 'read' ? outcome!.reads : outcome;
    };
    const outdated = { kind: 'void', reason: 'outdated' };
    expect(of(read(1, ['tea', 4], ['@bob', 3], ['no room', 2]))).toEqual([
      ['@bob', 3],
      ['tea', 4],
    ]);
    expect([of(read(1, ['tea', 4])), of(read(1, ['tea', 3])), of(read(1, ['tea', 99]))]).toEqual(
      Array(3).fill(outdated),
    );
    expect(of(read(2, ['tea', 5]))).toEqual({ kind: 'void', reason: 'no-such-session' });
    apply(end(1), openOf('ada'));
    expect(state.reads.find('ada', 'tea')).toMatchObject({ seq: 4 });
    expect(of(read(3, ['tea', 5]))).toEqual([['tea', 5]]);
    // Another room of the same name is read from its beginning.
    apply(forget('tea'), make('tea'));
    expect([...state.reads]).toMatchObject([{ place: '@bob', seq: 3 }]);
  });

  it('tells apart what the sessions of a user publish', () => {
    const { apply } = bound();
    apply(openOf('ada'), openOf('ada'), make('tea'));
    const said = [1, sessionNumber(1, 1), 1].map((number) => message(number, 'tea', 1));
    expect(apply(...said).map(({ kind }) => kind)).toEqual(['shown', 'shown', 'repeated']);
  });

  it('renames a user with all its sessions', () => {
    const { state, apply } = bound();
    apply(openOf('ada'), openOf('ada'), open('bob'), rename(sessionNumber(1, 1), 'dora'));
    expect(Array.from(state.sessions.values(), (session) => session.name)).toEqual(['dora', 'dora', 'bob']);
    expect(apply(rename(2, 'ada'))[0]!.kind).toBe('session-renamed');
    // It is still the same account.
    expect(apply(openOf('ada'))).toMatchObject([
      { session: { name: 'dora', memberId: sessionNumber(1, 2) } },
    ]);
  });

  it('gives a name of an account to nobody else, nor to the same account where it may not share it', () => {
    const { apply } = bound();
    apply(openOf('ada'));
    const taken = { kind: 'void', reason: 'name-taken' };
    expect(apply(open('ADA'), openOf('ada', false), openOf('аda'))).toEqual([taken, taken, taken]);
  });

  it('has numbers for 256 sessions of a user at a time, and goes round', () => {
    const { state, apply } = bound();
    apply(...Array.from({ length: 256 }, () => openOf('ada')));
    expect(apply(openOf('ada'))).toEqual([{ kind: 'void', reason: 'name-taken' }]);
    apply(end(sessionNumber(1, 7)));
    expect(apply(openOf('ada'))).toMatchObject([{ session: { memberId: sessionNumber(1, 7) } }]);
    expect(state.sessions.size).toBe(256);
  });

  it('gives a name to the first who claims it, whoever looks like it', () => {
    const { state, apply } = bound();
    const outcomes = apply(open('ada'), open('АDA'), open('bob'));
    expect(outcomes.map(({ kind }) => kind)).toEqual(['session-opened', 'void', 'session-opened']);
    expect(outcomes[1]).toEqual({ kind: 'void', reason: 'name-taken' });
    expect(apply(rename(2, 'Ada'))).toEqual([{ kind: 'void', reason: 'name-taken' }]);
    apply(end(1));
    expect(apply(rename(2, 'Ada'))[0]!.kind).toBe('session-renamed');
    expect(state.holderOf('ADA')?.memberId).toBe(2);
  });

  it('takes each publish of a session once, in rising numbers, and what is nobody’s always', () => {
    const { apply } = bound();
    apply(open('ada'), make('lobby'));
    const kinds = [1, 1, 3, 2, 3, 4].map((number) => apply(message(1, 'lobby', number))[0]!.kind);
    expect(kinds).toEqual(['shown', 'repeated', 'shown', 'repeated', 'repeated', 'shown']);
    expect([0, 0].map(() => apply(message(1, inboxKey(1), 0))[0]!.kind)).toEqual(['shown', 'shown']);
  });

  it('remembers who was kicked until that is over, or the ban that came with it', () => {
    const { state, apply } = bound();
    const banned = banKeys({ looks: looks('bob'), addresses: ['::1'] });
    apply(open('ada'), open('bob'), open('carol'), end(3));
    apply(kick(1, AT), kick(2, AT + 5, { banned }), kick(3, AT + 5));
    const names = (): string[] => [...state.kicks.values()].map(({ id }) => id);
    expect(names()).toHaveLength(2);
    expect(state.snapshot().kicks).toMatchObject([
      { position: 5, code: CloseCode.Kicked, reason: 'out', until: AT + 10, banned: [] },
      { position: 6, banned },
    ]);
    const [, ofBob] = names();
    apply(open('dave'));
    apply(kick(state.lastMember, AT + 12));
    // The first was over by then.
    expect(names()).toEqual([ofBob, expect.any(String)]);
    const [outcome] = apply(ban(ClaimKind.Unbanned, { looks: [], addresses: ['::1'] }));
    expect(outcome).toMatchObject({ kind: 'unbanned', keys: [], pardoned: [{ id: ofBob }] });
    expect(names()).toHaveLength(1);
  });

  it('forgets a room that nobody is in, and none else', () => {
    const { state, apply } = bound();
    apply(open('ada'), make('tea'), notice(1, 'tea', NoticeKind.Joined));
    expect(apply(forget('tea'))).toEqual([{ kind: 'void', reason: 'room-in-use' }]);
    apply(notice(1, 'tea', NoticeKind.Gone), forget('tea'));
    expect(state.rooms.size).toBe(0);
    const [again] = apply(make('tea'));
    expect(again).toMatchObject({ kind: 'room-opened', room: { handle: 2 } });
  });

  it('refuses a banned name for as long as the ban lasts by the time of the entries', () => {
    const { apply } = bound();
    apply(ban(ClaimKind.Banned, { looks: looks('eve'), addresses: [], until: AT + 10 }));
    expect(apply(open('EVE'))).toEqual([{ kind: 'void', reason: 'banned' }]);
    expect(apply({ ...open('eve'), at: AT + 10 })[0]!.kind).toBe('session-opened');
  });

  it('passes over a claim of a newer version', () => {
    const { state, apply } = bound();
    apply(open('ada'));
    const before = state.snapshot();
    expect(apply({ ...end(1), kind: 99 as ClaimKind })).toEqual([{ kind: 'void', reason: 'unknown-claim' }]);
    expect({ ...state.snapshot(), position: 0 }).toEqual({ ...before, position: 0 });
  });
});

describe('isSecretOf', () => {
  it('knows a secret by its hash', () => {
    expect(isSecretOf(hashSecret('of ada'), 'of ada')).toBe(true);
    expect([isSecretOf(hashSecret('of ada'), 'of bob'), isSecretOf(undefined, 'of ada')]).toEqual([
      false,
      false,
    ]);
  });
});

/** The users whom the outcomes of entries have shown to be in each room. */
class Present {
  readonly rooms: Record<string, Set<number>> = {};

  told(outcome: Outcome): void {
    if (outcome.kind === 'room-opened') this.rooms[outcome.room.key] = new Set();
    if (outcome.kind === 'room-forgotten') delete this.rooms[outcome.room.key];
    if (outcome.kind === 'joined') {
      const { [outcome.room.key]: users } = this.rooms;
      expect(users?.has(userOf(outcome.member))).toBe(false);
      users?.add(userOf(outcome.member));
    }
    if (outcome.kind === 'left' && outcome.room) this.rooms[outcome.room.key]?.delete(userOf(outcome.member));
    if (outcome.kind === 'session-ended' || outcome.kind === 'session-kicked')
      for (const { key } of outcome.left) this.rooms[key]?.delete(userOf(outcome.session.memberId));
  }
}

function usersOf({ rooms }: ChatState): Record<string, Set<number>> {
  return Object.fromEntries(
    Array.from(rooms, ([key, { members }]) => [key, new Set(Array.from(members.keys(), userOf))]),
  );
}

function bound(): { state: ChatState; apply: (...drafts: readonly Draft[]) => Outcome[] } {
  const replica = new Replica();
  return { state: replica.state, apply: (...drafts) => replica.apply(...drafts) };
}
