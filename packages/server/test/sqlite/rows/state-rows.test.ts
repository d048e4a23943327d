import { join } from 'node:path';
import { CloseCode } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim } from '../../../src/log/claims.js';
import { ClaimKind, type Draft } from '../../../src/log/entry.js';
import { applyEntry } from '../../../src/log/state/apply-entry.js';
import { ChatState, type StateSnapshot } from '../../../src/log/state/chat-state.js';
import { sessionNumber } from '../../../src/log/state/session-number.js';
import { findDriver } from '../../../src/sqlite/driver.js';
import { StoreReader } from '../../../src/sqlite/store-reader.js';
import { StoreWriter } from '../../../src/sqlite/store-writer.js';
import { arbitraryDecision } from '../../support/arbitrary-decision.js';
import { draft } from '../../support/event-log-contract.js';
import { blockOf } from '../../support/sqlite/blocks.js';
import { dataFolder } from '../../support/sqlite/folder.js';
import { readRoom } from '../../support/sqlite/read-room.js';

const name = (text: string) => new TextEncoder().encode(text);
const open = (directory: string) => new StoreWriter({ directory, durability: 'process', reserveBytes: 0 });
const opened = (who: string): Draft =>
  claim(
    ClaimKind.SessionOpened,
    { name: name(who), at: 1 },
    { id: `id of ${who}`, secretHash: 'hash', isResumable: true },
  );
/** Of somebody with an account, who may be here already. */
const openedFurther = (who: string): Draft =>
  claim(
    ClaimKind.SessionOpened,
    { name: name(who), at: 1 },
    { id: `id of ${who}`, secretHash: 'hash', isResumable: true, account: who, isFurther: true },
  );
const joined = (room: string, sender: number): Draft =>
  draft(room, '', { type: FrameType.Notice, kind: NoticeKind.Joined, codec: 0, sender, publishId: 0 });

const kick = (sender: number, at: number, until: number, banned: readonly string[] = []): Draft =>
  claim(ClaimKind.SessionKicked, { sender, at }, { code: CloseCode.Kicked, reason: 'out', until, banned });

const roomClaim = (kind: typeof ClaimKind.RoomOpened | typeof ClaimKind.RoomForgotten, room: string): Draft =>
  claim(kind, { room, name: name(room), at: 1 }, undefined);
const read = (sender: number, ...reads: readonly (readonly [string, number])[]): Draft =>
  claim(ClaimKind.ReadUpTo, { sender, at: 1 }, { reads });

const ban = (looks: readonly string[], at: number, until: number | undefined): Draft =>
  claim(
    ClaimKind.Banned,
    { at },
    { looks, addresses: [], target: looks.join(), ...(until === undefined ? {} : { until }) },
  );

describe('the state in the file', () => {
  it('is that of the newest entry, whatever was in which group', () => {
    const rooms = fc.constantFrom('a', 'b');
    const user = fc.integer({ min: 1, max: 4 });
    const member = fc.oneof(
      user,
      user.map((id) => sessionNumber(id, 1)),
    );
    const at = fc.nat(30);
    const action: fc.Arbitrary<Draft> = fc.oneof(
      fc.constantFrom('ada', 'bob', 'eve', 'kim').map(opened),
      fc.constantFrom('ada', 'eve').map(openedFurther),
      fc
        .tuple(member, at)
        .map(([sender, time]) => claim(ClaimKind.SessionEnded, { sender, at: time }, undefined)),
      fc
        .tuple(member, at, at, fc.subarray(['look:ada', 'address:x']))
        .map(([sender, time, until, banned]) => kick(sender, time, until, banned)),
      fc
        .tuple(member, fc.constantFrom('ada', 'bob'), at)
        .map(([sender, to, time]) =>
          claim(ClaimKind.SessionRenamed, { sender, name: name(to), at: time }, undefined),
        ),
      rooms.map((room) => roomClaim(ClaimKind.RoomOpened, room)),
      rooms.map((room) => roomClaim(ClaimKind.RoomForgotten, room)),
      fc.tuple(rooms, member).map(([room, sender]) => joined(room, sender)),
      fc.tuple(rooms, member).map(([room, sender]) => ({ ...joined(room, sender), kind: NoticeKind.Left })),
      fc
        .tuple(rooms, member, fc.integer({ min: 1, max: 4 }))
        .map(([room, sender, publishId]) => draft(room, 'x', { sender, publishId })),
      fc
        .tuple(fc.subarray(['ada', 'bob', 'eve']), at, fc.option(at, { nil: undefined }))
        .map(([looks, time, until]) => ban(looks, time, until)),
      fc
        .tuple(fc.subarray(['ada', 'bob', 'eve']), at)
        .map(([looks, time]) => claim(ClaimKind.Unbanned, { at: time }, { looks, addresses: ['x'] })),
      fc
        .tuple(member, fc.array(fc.tuple(fc.constantFrom('a', 'b', '@eve'), fc.nat(40)), { maxLength: 2 }))
        .map(([sender, reads]) => read(sender, ...reads)),
      fc
        .tuple(fc.nat(4), fc.constantFrom('', 'a', 'b'), arbitraryDecision, at)
        .map(([sender, room, decision, time]) =>
          claim(ClaimKind.Moderated, { sender, room, at: time }, decision),
        ),
    );
    const groups = fc.array(fc.array(action, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 15,
    });
    fc.assert(
      fc.property(groups, (written) => {
        const directory = dataFolder();
        let writer = open(directory);
        const state = new ChatState();
        let seq = 0;
        for (const group of written) {
          writer.write([blockOf(seq + 1, ...group)]);
          for (const one of group) applyEntry(state, { ...one, seq: ++seq });
          if (seq % 3 === 0) {
            writer.close();
            writer = open(directory);
          }
          // A group that fails changes nothing.
          expect(() =>
            writer.write([blockOf(seq + 1, opened('zoe')), blockOf(seq + 1, opened('zac'))]),
          ).toThrow();
        }
        writer.close();
        writer = open(directory);
        expect(sorted(writer.opened.state)).toEqual(sorted(state.snapshot()));
        writer.close();
      }),
      {
        numRuns: 60,
        examples: [
          // The clock may say 0, too.
          [[[ban(['ada'], 0, 0)], [ban([], 0, undefined)]]],
          [[[openedFurther('ada'), roomClaim(ClaimKind.RoomOpened, 'a'), read(1, ['a', 1], ['@eve', 1])]]],
          [
            [
              [openedFurther('ada'), roomClaim(ClaimKind.RoomOpened, 'a'), read(1, ['a', 1])],
              [roomClaim(ClaimKind.RoomForgotten, 'a')],
            ],
          ],
        ],
      },
    );
  });

  it('leaves out of a room what came to nothing, and keeps no text of it', () => {
    const directory = dataFolder();
    const writer = open(directory);
    writer.write([
      blockOf(
        1,
        opened('ada'),
        claim(ClaimKind.RoomOpened, { room: 'a', name: name('A'), at: 1 }, undefined),
        joined('a', 1),
        draft('a', 'once', { sender: 1, publishId: 1 }),
        draft('a', 'once', { sender: 1, publishId: 1 }),
        joined('a', 1),
        draft('a', 'again', { sender: 1, publishId: 2 }),
      ),
    ]);
    const reader = new StoreReader({ directory });
    expect(readRoom(reader, 'a')).toEqual({
      seqs: [3, 4, 7],
      texts: ['', 'once', 'again'],
      previous: 0,
      gaps: [],
      end: true,
    });
    const [tail] = writer.readTail(1e6);
    expect(Buffer.from(tail!.bytes).toString('latin1').split('once').length - 1).toBe(1);
    reader.close();
    writer.close();
  });

  it.each(['state', 'session', 'room', 'member', 'ban', 'kick', 'rule', 'total'])(
    'is not taken from a damaged row of %s without notice',
    (table) => {
      const directory = dataFolder();
      const writer = open(directory);
      writer.write([
        blockOf(
          1,
          opened('ada'),
          claim(ClaimKind.RoomOpened, { room: 'a', name: name('A'), at: 1 }, undefined),
          joined('a', 1),
          claim(ClaimKind.Banned, { at: 1 }, { looks: ['eve'], addresses: [] }),
          opened('zoe'),
          kick(2, 1, 100),
          claim(
            ClaimKind.Moderated,
            { room: 'a', at: 1 },
            { action: 'topic', by: 'ops', change: { what: 'settings', settings: { topic: 'tea' } } },
          ),
        ),
      ]);
      const { epoch } = writer.opened;
      writer.close();
      const column = {
        state: 'last_member',
        session: 'last_publish',
        room: 'name',
        member: 'joined',
        ban: 'until',
        kick: 'code',
        rule: 'value',
        total: 'position',
      };
      const database = findDriver().open(join(directory, 'chat.sqlite'));
      const change =
        table === 'ban' ? 'until = 7' : table === 'total' ? 'position = 3' : `${column[table as 'room']} = 9`;
      database.exec(`UPDATE ${table} SET ${change}`);
      database.close();
      if (table === 'total') {
        // A position that is too low ends the epoch; none is given out again.
        const again = open(directory);
        expect(again.opened).toMatchObject({ position: 7, loss: { storedPosition: 3 } });
        expect(again.opened.epoch).not.toBe(epoch);
        again.close();
        return;
      }
      expect(() => open(directory)).toThrow(
        expect.objectContaining({
          code: 'ERR_SERVER_STORE_CORRUPT',
          message: expect.stringContaining(`a row of table ${table}`),
        }),
      );
      // The lock is not kept.
      expect(() => open(directory)).toThrow(expect.objectContaining({ code: 'ERR_SERVER_STORE_CORRUPT' }));
    },
  );
});

function sorted({ sessions, rooms, bans, rules = [], ...rest }: StateSnapshot) {
  return {
    ...rest,
    rules: new Map(rules.map(({ scope, what, key, value }) => [`${scope} ${what} ${key}`, value])),
    sessions: [...sessions].sort((one, other) => one.memberId - other.memberId),
    rooms: [...rooms].sort((one, other) => one.handle - other.handle),
    bans: new Map(bans),
  };
}
