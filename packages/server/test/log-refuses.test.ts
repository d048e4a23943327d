/** A log that refuses for a while, as when the disk is full: who leaves meanwhile is not here for ever, and nobody is lost. */
import { FailureCode } from '@chat/protocol';
import { FrameType, NoticeKind } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import type { Draft } from '../src/log/entry.js';
import type { EventLog, LogCondition, LogConsumer } from '../src/log/event-log.js';
import { MemoryChat } from './support/memory-chat.js';
import { turn } from './support/turn.js';
import type { WireClient } from './support/wire-client.js';

class FullLog implements EventLog {
  readonly epoch = 'full';
  condition: LogCondition = { state: 'open' };
  onCondition: ((condition: LogCondition) => void) | undefined;
  refused = 0;
  #consumer: LogConsumer = () => {};
  #seq = 0;

  open(consumer: LogConsumer): undefined {
    this.#consumer = consumer;
  }

  append(draft: Draft): void {
    if (this.condition.state === 'open') {
      this.#consumer([{ ...draft, seq: ++this.#seq }]);
      return;
    }
    this.refused++;
    draft.origin?.refused({ code: FailureCode.Unavailable, message: 'the store is full' }, draft.publishId);
  }

  change(condition: LogCondition): void {
    this.condition = condition;
    this.onCondition?.(condition);
  }

  close(): void {}
}

const FULL: LogCondition = { state: 'full', reason: 'no space' };
const OPEN: LogCondition = { state: 'open' };

async function scene() {
  const log = new FullLog();
  const memory = await MemoryChat.open({ log, resumeWindowMs: 5000 });
  const [ada, bob] = [await memory.enter('ada'), await memory.enter('bob')];
  const { handle } = await ada.join('lobby');
  await bob.join('lobby');
  await turn();
  const goings = (of: WireClient): readonly (readonly [string, number])[] =>
    of
      .entries(handle)
      .flatMap((entry) => (entry.type === FrameType.Notice ? [[entry.name, entry.kind]] : []));
  const members = async (): Promise<string[]> => {
    const page = await ada.ask<{ members: { name: string }[] }>({ op: 'members', room: 'lobby' });
    return page.members.map(({ name }) => name);
  };
  return { log, memory, ada, bob, handle, goings, members };
}

describe('while the log refuses', () => {
  it('a leave is refused, changes nothing, and can be tried again', async () => {
    const { log, ada, bob, handle, goings } = await scene();
    log.change(FULL);
    const refused = await bob.request({ op: 'leave', room: 'lobby' });
    expect(refused).toMatchObject({ type: FrameType.Failed, failure: { code: FailureCode.Unavailable } });
    log.change(OPEN);
    await bob.say(handle, 'still here');
    await ada.say(handle, 'I see');
    await turn();
    expect(bob.texts(handle)).toContain('I see');
    expect(await bob.ask({ op: 'leave', room: 'lobby' })).toEqual({ left: true });
    await turn();
    expect(goings(ada).at(-1)).toEqual(['bob', NoticeKind.Left]);
    expect((await bob.join('lobby')).memberCount).toBe(2);
  });

  it.each([
    ['says goodbye', NoticeKind.Left],
    ['is away for too long', NoticeKind.Gone],
    ['is kicked', NoticeKind.Left],
  ] as const)('one that %s is a member for the others until the log says that it went', async (how, kind) => {
    const { log, memory, ada, bob, goings, members } = await scene();
    log.change(FULL);
    if (how === 'says goodbye') bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    else if (how === 'is kicked') memory.chat.operator.kick('bob', 'out');
    else bob.pipe.destroy();
    await turn();
    memory.clock.advance(6000);
    await turn();
    expect(memory.chat.sessions.count).toBe(1);
    expect(await members()).toEqual(['ada', 'bob']);
    log.change(OPEN);
    await turn();
    expect(
      goings(ada)
        .filter(([name]) => name === 'bob')
        .slice(1),
    ).toEqual([['bob', kind]]);
    expect(await members()).toEqual(['ada']);
    // The name is free, and the place as well.
    const again = await memory.enter('bob');
    expect((await again.join('lobby')).memberCount).toBe(2);
    expect(memory.chat.steady.size).toBe(0);
  });

  it('an evicted member is out, and told so once the log says it', async () => {
    const { log, memory, ada, bob, handle, goings, members } = await scene();
    log.change(FULL);
    expect(memory.chat.operator.evict('bob', 'lobby')).toBe(true);
    const id = bob.publish(handle, 'I am still here');
    expect(await bob.answerTo(id)).toMatchObject({ failure: { code: FailureCode.NotMember } });
    log.change(OPEN);
    await turn();
    expect(goings(bob).at(-1)).toEqual(['bob', NoticeKind.Left]);
    expect(await members()).toEqual(['ada']);
    await ada.say(handle, 'behind it');
    await turn();
    expect(bob.texts(handle)).not.toContain('behind it');
  });

  it('one that resumes while its leave is refused is out, as its client believes', async () => {
    const { log, memory, ada, bob, members } = await scene();
    log.change(FULL);
    log.append = ((append) => (draft: Draft) => {
      // The answer of the log comes when the client is back.
      if (draft.kind === NoticeKind.Left && draft.type === FrameType.Notice)
        setImmediate(() => append.call(log, draft));
      else append.call(log, draft);
    })(log.append);
    bob.send({ type: FrameType.Request, id: 9, request: { op: 'leave', room: 'lobby' } });
    bob.pipe.destroy();
    const again = await memory.enter(bob.resumption());
    expect(again.welcome!.rooms).toEqual([]);
    await turn(2);
    log.change(OPEN);
    await turn(2);
    expect(await members()).toEqual(['ada']);
    expect(ada.gone).toBe(false);
  });

  it('a rename that is known is told in each room as soon as it can be', async () => {
    const { log, bob, ada, handle } = await scene();
    const { append } = log;
    // The claim is taken, and the notices behind it are not.
    log.append = (draft) => {
      if (draft.type === FrameType.Notice) log.condition = FULL;
      append.call(log, draft);
    };
    expect(await bob.ask({ op: 'rename', name: 'robert' })).toEqual({ name: 'robert' });
    await turn();
    log.append = append;
    log.change(OPEN);
    await turn();
    const last = ada.entries(handle).at(-1)!;
    expect([last.name, new TextDecoder().decode(last.body)]).toEqual(['bob', 'robert']);
  });

  it('it is asked again from time to time, also where it does not say that it is open', async () => {
    const { log, memory, ada, bob, goings } = await scene();
    log.condition = FULL;
    bob.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
    await turn();
    const { refused } = log;
    memory.clock.advance(3000);
    // A log that says why it refuses is not asked in vain.
    expect(log.refused).toBe(refused);
    log.condition = OPEN;
    memory.clock.advance(1500);
    await turn();
    expect(goings(ada).at(-1)).toEqual(['bob', NoticeKind.Left]);
  });

  it('a room that could not be forgotten is, when it is empty for as long again', async () => {
    const { log, memory, ada } = await scene();
    await ada.join('tea');
    await ada.ask({ op: 'leave', room: 'tea' });
    log.change(FULL);
    memory.clock.advance(61_000);
    log.change(OPEN);
    expect(memory.chat.rooms.find('tea')).toBeDefined();
    memory.clock.advance(61_000);
    expect(memory.chat.rooms.find('tea')).toBeUndefined();
  });

  it('a ban holds, and is in the log as soon as it can be', async () => {
    const { log, memory } = await scene();
    log.change(FULL);
    memory.chat.operator.ban('bob', 60_000, 'out');
    const again = memory.connect();
    again.greet({ name: 'bob' });
    expect((await again.closed)!.reason).toContain('banned');
    expect(memory.chat.steady.size).toBeGreaterThan(1);
    log.change(OPEN);
    expect(memory.chat.steady.size).toBe(0);
  });
});
