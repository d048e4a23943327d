/**
 * Who comes, goes, is torn, comes late and is shown out, at random and with decisions that take their time: whatever
 * happens, a name has one owner, a room has no member that is not here, and in the end nobody is left.
 */
import { nameKey } from '@chat/protocol';
import { FrameType, type Hello, type Welcome } from '@chat/protocol/frames';
import { expect, it } from 'vitest';
import type { AuthenticateResult } from '../src/options/hooks.js';
import type { DuplicateNamePolicy } from '../src/options/options.js';
import { MemoryChat, type MemoryClient } from './support/memory-chat.js';
import { seeded } from './support/seeded.js';
import { turn } from './support/turn.js';

const POLICIES: readonly DuplicateNamePolicy[] = ['refuse', 'suffix', 'takeover'];
const ROOMS = ['r0', 'r1', 'r2'];
const MAX_SESSIONS = 6;
const STEPS = 200;

/** Somebody with one client, which makes one connection after the other. */
class Person {
  readonly name: string;
  readonly hellos: Hello[] = [];
  readonly connections: MemoryClient[] = [];
  welcome: Welcome | undefined;

  constructor(name: string) {
    this.name = name;
  }

  connect(memory: MemoryChat, mayResume: boolean): void {
    const { session, secret, epoch } = this.welcome ?? {};
    const resume = { session, secret, epoch, rooms: [], inbox: 0 } as NonNullable<Hello['resume']>;
    const hello: Hello = {
      name: this.name,
      maxFrameBytes: 65_536,
      clientSecret: `the secret of ${this.name} alone`,
      attempt: this.hellos.length + 1,
      ...(this.welcome && mayResume ? { resume } : {}),
    };
    this.hellos.push(hello);
    this.greet(memory, hello);
  }

  /** Also with a hello of earlier, which was held up on its way. */
  greet(memory: MemoryChat, hello: Hello): void {
    const client = memory.connect();
    client.greet(hello);
    this.connections.push(client);
    client.take(FrameType.Welcome).then(
      ({ welcome }) => {
        this.welcome = welcome;
      },
      () => {},
    );
  }

  join(room: string): void {
    const client = this.connections.at(-1);
    if (client && client.frames.length > 0 && !client.gone) {
      client.send({ type: FrameType.Request, id: 1, request: { op: 'join', room } });
    }
  }
}

it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('leave everything in order (seed %i)', async (seed) => {
  const random = seeded(seed);
  const decisions: (() => void)[] = [];
  const decide = (): AuthenticateResult => {
    if (random.below(8) === 0) return { ok: false };
    return random.below(3) === 0 ? { ok: true, expiresInMs: 1000 } : { ok: true };
  };
  const memory = await MemoryChat.open({
    duplicateNames: POLICIES[seed % 3]!,
    resumeWindowMs: 3000,
    idleTimeoutMs: 20_000,
    maxSessions: MAX_SESSIONS,
    hooks: { authenticate: () => new Promise((answer) => decisions.push(() => answer(decide()))) },
  });
  const people = ['ada', 'ADA', 'bob', 'eve'].map((name) => new Person(name));
  const { chat, clock } = memory;

  const step = (person: Person): void => {
    const session = chat.sessions.find(person.name);
    switch (random.below(10)) {
      case 0:
      case 1:
        person.connect(memory, random.below(2) === 0);
        break;
      case 2:
        if (person.hellos.length > 0)
          person.greet(memory, person.hellos[random.below(person.hellos.length)]!);
        break;
      case 3:
        person.connections.at(-1)?.pipe.destroy();
        break;
      case 4:
      case 5:
        person.join(ROOMS[random.below(3)]!);
        break;
      case 6:
        decisions.splice(random.below(decisions.length), 1)[0]?.();
        break;
      case 7:
        clock.advance(random.below(1500));
        break;
      case 8:
        if (random.below(4) === 0) chat.operator.kick(person.name, '');
        else if (random.below(8) === 0) chat.operator.ban(person.name, 500, '');
        return;
      default:
        if (random.below(2) === 0) session?.reauthenticate('');
        else session?.evict(ROOMS[random.below(3)]!);
    }
  };

  for (let i = 0; i < STEPS; i++) {
    step(people[random.below(people.length)]!);
    if (random.below(3) === 0) for (const answer of decisions.splice(0)) answer();
    if (random.below(4) > 0) await turn();
    const sessions = [...chat.sessions];
    expect(sessions.length).toBeLessThanOrEqual(MAX_SESSIONS);
    expect(new Set(sessions.map(({ name }) => nameKey(name))).size).toBe(sessions.length);
    for (const session of sessions) {
      expect(chat.sessions.find(session.name)).toBe(session);
      for (const member of session.rooms.values()) {
        expect(member.room.members.get(session.memberId)).toBe(member);
      }
    }
    for (const room of ROOMS) {
      for (const { member } of chat.rooms.find(room)?.members.values() ?? [])
        expect(sessions).toContain(member);
    }
  }

  for (const answer of decisions.splice(0)) answer();
  const connections = people.flatMap((person) => person.connections);
  for (const { frames } of connections) {
    const first = frames.find(({ type }) => type !== FrameType.Close);
    expect(first === undefined || first.type === FrameType.Welcome).toBe(true);
  }
  expect(chat.counters.sessionsResumed).toBeGreaterThan(0);
  for (const { pipe } of connections) pipe.destroy();
  await turn(2);
  clock.advance(10_000);
  expect(chat.sessions.count).toBe(0);
  expect(memory.log.at('error')).toEqual([]);
});
