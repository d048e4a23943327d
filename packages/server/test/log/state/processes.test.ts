/** The part of the rule that is about several processes: who may say what for which session. */
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, hashSecret } from '../../../src/log/claims.js';
import { type CLAIM, ClaimKind, type Draft } from '../../../src/log/entry.js';
import { applyEntry } from '../../../src/log/state/apply-entry.js';
import { ChatState } from '../../../src/log/state/chat-state.js';
import type { Outcome } from '../../../src/log/state/outcome.js';
import { draft as message } from '../../support/event-log-contract.js';

const AT = 1_700_000_000_000;
const place = { address: '192.0.2.1', dialect: 'binary' as const };

let opened = 0;
const come = (): Draft => claim(ClaimKind.ProcessCame, { at: AT }, undefined);
const gone = (process: number): Draft => claim(ClaimKind.ProcessGone, { at: AT }, { process });
const open = (name: string): Draft =>
  claim(
    ClaimKind.SessionOpened,
    { name: Buffer.from(name), at: AT },
    { id: `s${++opened}`, secretHash: hashSecret('secret'), isResumable: true, place },
  );
const take = (sender: number, attempt?: number): Draft =>
  claim(ClaimKind.SessionTaken, { sender, at: AT }, { ...place, attempt });
const end = (sender: number): Draft => claim(ClaimKind.SessionEnded, { sender, at: AT }, undefined);
const kick = (sender: number): Draft =>
  claim(ClaimKind.SessionKicked, { sender, at: AT }, { code: 4014, reason: 'x', until: AT + 1000 });
const rename = (sender: number, name: string): Draft =>
  claim(ClaimKind.SessionRenamed, { sender, name: Buffer.from(name), at: AT }, undefined);
const make = (room: string): Draft =>
  claim(ClaimKind.RoomOpened, { room, name: Buffer.from(room), at: AT }, undefined);
const say = (sender: number, publishId: number): Draft => message('tea', 'x', { sender, publishId });
const notice = (sender: number, kind: NoticeKind): Draft =>
  message('tea', kind > NoticeKind.Gone ? '{"seq":1,"codec":1,"text":"x"}' : '', {
    type: FrameType.Notice,
    kind,
    sender,
    publishId: 0,
  });

class Replica {
  readonly state = new ChatState();

  apply(from: number, ...drafts: readonly Draft[]): Outcome[] {
    return drafts.map((one) => applyEntry(this.state, { ...one, seq: this.state.position + 1 }, from));
  }
}

function withSession(): Replica {
  const replica = new Replica();
  replica.apply(1, come(), make('tea'), open('ada'), notice(1, NoticeKind.Joined));
  replica.apply(2, come());
  return replica;
}

describe('a session that is held by one process', () => {
  it.each<[string, () => Draft]>([
    ['publish', () => say(1, 1)],
    ['leave', () => notice(1, NoticeKind.Left)],
    ['join', () => notice(1, NoticeKind.Joined)],
    ['be renamed', () => rename(1, 'eve')],
    ['end', () => end(1)],
  ])('does not %s because another one says so', (_what, entry) => {
    const replica = withSession();
    const before = replica.state.snapshot();
    expect(replica.apply(2, entry())).toEqual([{ kind: 'void', reason: 'held-elsewhere' }]);
    expect(replica.state.snapshot()).toEqual({ ...before, position: before.position + 1 });
    // Once it has moved, it is the other way round.
    expect(replica.apply(2, take(1))).toMatchObject([{ kind: 'session-taken', former: 1 }]);
    expect(replica.apply(1, entry())).toEqual([{ kind: 'void', reason: 'held-elsewhere' }]);
    expect(replica.apply(2, say(1, 1), end(1)).map(({ kind }) => kind)).toEqual(['shown', 'session-ended']);
  });

  it('is kicked by any', () => {
    const replica = withSession();
    expect(replica.apply(2, kick(1))).toMatchObject([{ kind: 'session-kicked', rooms: [{ key: 'tea' }] }]);
    expect(replica.state.sessions.size).toBe(0);
    expect(replica.state.rooms.get('tea')!.members.size).toBe(0);
  });

  it('does not move for a hello that is older than the last one', () => {
    const replica = withSession();
    const outdated = { kind: 'void', reason: 'outdated' };
    expect(replica.apply(2, take(1, 3))).toMatchObject([{ kind: 'session-taken' }]);
    expect(replica.apply(1, take(1, 3), take(1, 2))).toEqual([outdated, outdated]);
    expect(replica.apply(1, take(1, 4), take(1))).toMatchObject([{ former: 2 }, { former: 1 }]);
    expect(replica.apply(2, take(1, 4))).toEqual([outdated]);
  });
});

describe('a process', () => {
  it('does not count before it has come, nor once it is gone', () => {
    const replica = withSession();
    const nobody = { kind: 'void', reason: 'no-such-process' };
    expect(replica.apply(3, open('eve'), take(1), gone(1), make('x'))).toEqual([
      nobody,
      nobody,
      nobody,
      nobody,
    ]);
    expect(replica.apply(2, gone(1), gone(1))).toMatchObject([{ kind: 'process-gone', process: 1 }, nobody]);
    expect(replica.apply(1, say(1, 1), open('eve'), gone(2))).toEqual([nobody, nobody, nobody]);
    expect(replica.state.unheld.size).toBe(1);
    expect(replica.apply(2, say(1, 1), take(1))).toMatchObject([{ kind: 'shown' }, { former: undefined }]);
    expect(replica.state.unheld.size).toBe(0);
  });

  it('passes over what it does not know of, and the next entry counts', () => {
    const replica = withSession();
    const kind = 999 as ClaimKind;
    const unknown = { ...end(1), kind };
    const type = 0x7f as typeof CLAIM;
    expect(replica.apply(1, unknown, { ...say(1, 1), type }, say(1, 1))).toEqual([
      { kind: 'void', reason: 'unknown-claim' },
      { kind: 'void', reason: 'unknown-entry' },
      { kind: 'shown' },
    ]);
  });
});

it('whatever three processes append, all come to the same, from any snapshot on, and a session has one holder', () => {
  const member = fc.integer({ min: 1, max: 6 });
  const process = fc.integer({ min: 1, max: 3 });
  const entry: fc.Arbitrary<Draft> = fc.oneof(
    { weight: 2, arbitrary: fc.constant(null).map(come) },
    { weight: 1, arbitrary: process.map(gone) },
    { weight: 4, arbitrary: fc.constantFrom('ada', 'bob', 'b0b').map(open) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(member, fc.option(fc.integer({ min: 1, max: 4 })))
        .map(([who, at]) => take(who, at ?? undefined)),
    },
    { weight: 1, arbitrary: member.map(end) },
    { weight: 1, arbitrary: member.map(kick) },
    { weight: 2, arbitrary: fc.constant('tea').map(make) },
    { weight: 8, arbitrary: fc.tuple(member, fc.integer({ min: 1, max: 5 })).map(([who, n]) => say(who, n)) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(member, fc.constantFrom(...Object.values(NoticeKind)))
        .map(([who, kind]) => notice(who, kind)),
    },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(process, entry), { maxLength: 150, size: 'max' }),
      fc.nat(),
      (entries, cut) => {
        const whole = new Replica();
        const at = entries.length === 0 ? 0 : cut % entries.length;
        let written = '';
        const published = new Set<string>();
        for (const [i, [from, one]] of entries.entries()) {
          if (i === at) written = JSON.stringify(whole.state.snapshot());
          const holder = whole.state.sessions.get(one.sender)?.holder;
          const [outcome] = whole.apply(from, one);
          if (outcome!.kind === 'shown' && one.publishId > 0 && whole.state.sessions.has(one.sender)) {
            expect(published.has(`${one.sender} ${one.publishId}`)).toBe(false);
            published.add(`${one.sender} ${one.publishId}`);
            expect(holder === undefined || holder === from).toBe(true);
          }
          for (const session of whole.state.sessions.values()) {
            const isHeld = session.holder !== undefined;
            expect(
              isHeld ? whole.state.processes.has(session.holder!) : whole.state.unheld.has(session),
            ).toBe(true);
            expect(session.unheldSince === undefined).toBe(isHeld);
          }
        }
        if (entries.length === 0) return;
        const late = new Replica();
        late.state.load(JSON.parse(written));
        for (const [from, one] of entries.slice(at)) late.apply(from, one);
        expect(late.state.snapshot()).toEqual(whole.state.snapshot());
      },
    ),
    { numRuns: 150, seed: 11 },
  );
});
