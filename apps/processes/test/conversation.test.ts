import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSegment, type SharedSegment } from '@chat/shm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Conversation,
  type ConversationOptions,
  type Message,
  type Side,
  type Step,
} from '../src/conversation.js';
import { FLAGS_WORD, SLOT_BYTES_WORD, SLOTS, TOTAL_BYTES } from '../src/layout.js';

const name = 'talk';
let directory: string;
let leaving: AbortController;
let steps: Step[];

beforeEach(() => {
  directory = mkdtempSync(join('/dev/shm', 'chat-processes-test-'));
  leaving = new AbortController();
  steps = [];
});
afterEach(() => {
  leaving.abort();
  rmSync(directory, { recursive: true, force: true });
});

function open(side: Side, options: Partial<ConversationOptions> = {}): Promise<Conversation> {
  return Conversation.open(name, side, {
    signal: leaving.signal,
    onStep: (step) => steps.push(step),
    directory,
    ...options,
  });
}

/** Takes the next `count` messages, and is done with each. */
async function take(conversation: Conversation, count: number): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const event of conversation.events()) {
    if (messages.length === count) break;
    if (event.kind === 'message') messages.push(event);
    if (messages.length === count) break;
  }
  return messages;
}

const flags = (segment: SharedSegment, side: Side): Int32Array =>
  segment.words.subarray(FLAGS_WORD[side], FLAGS_WORD[side] + 3);

describe.skipIf(process.platform !== 'linux')('Conversation', () => {
  it('carries messages, answers and numbers both ways', async () => {
    const [a, b] = [await open('a'), await open('b')];
    expect([await a.send('one'), await a.send('two')]).toEqual([1, 2]);
    for await (const event of b.events()) {
      if (event.kind !== 'message') continue;
      await b.send(`thank you for ${event.text}`, event.number);
      if (event.number === 2) break;
    }
    expect(b.receivedNumber).toBe(2);
    expect((await take(a, 2)).map(({ text }) => text)).toEqual(['thank you for one', 'thank you for two']);
  });

  it('brings the message at hand again when a loop is left, and says so', async () => {
    const [a, b] = [await open('a'), await open('b')];
    await a.send('one');
    const [first] = await take(b, 1);
    const [again] = await take(b, 1);
    expect([first?.again, again?.again]).toEqual([false, true]);
  });

  it('goes on where numbers become negative, and where they become zero', async () => {
    for (const start of [2 ** 31 - 5, -5]) {
      const segment = openSegment(name, { directory, payloadBytes: TOTAL_BYTES });
      const [a, b] = [await open('a'), await open('b')];
      for (const [side, done] of [
        ['a', 0],
        ['b', start],
      ] as const)
        flags(segment, side).set([side === 'a' ? start : 0, side === 'a' ? done : start, done]);
      const texts = Array.from({ length: SLOTS }, (_, i) => `message ${i}`);
      for (const text of texts) await a.send(text);
      const seen: string[] = [];
      for await (const event of b.events())
        if (event.kind === 'message' && seen.push(event.text) === SLOTS) break;
      expect(seen).toEqual(texts);
      await a.close();
      await b.close();
      segment.unlink();
      segment.close();
    }
  });

  it('waits for room, and goes on when the other side has read', async () => {
    const [a, b] = [await open('a'), await open('b')];
    for (let i = 0; i < SLOTS; i++) await a.send('x');
    let sent = 0;
    const more = a.send('y').then((number) => {
      sent = number;
    });
    await new Promise(setImmediate);
    expect(sent).toBe(0);
    await take(b, 2);
    await more;
    expect(sent).toBe(SLOTS + 1);
  });

  it('refuses a segment that is laid out otherwise, though its size is the same', async () => {
    const foreign = openSegment(name, { directory, payloadBytes: TOTAL_BYTES });
    foreign.words[40] = 7;
    await expect(open('a')).rejects.toThrow(expect.objectContaining({ code: 'ERR_SHM_PARAMS' }));
    foreign.words.fill(0);
    await (await open('a')).close();
    foreign.words[SLOT_BYTES_WORD] = 4;
    await expect(open('a')).rejects.toThrow(expect.objectContaining({ code: 'ERR_SHM_PARAMS' }));
  });

  it('refuses a second one of a side, and a text that is too long', async () => {
    const a = await open('a');
    await expect(open('a')).rejects.toThrow(expect.objectContaining({ code: 'ERR_SHM_ROLE_TAKEN' }));
    await expect(a.send('x'.repeat(1001))).rejects.toThrow(RangeError);
    expect(await a.send('x'.repeat(1000))).toBe(1);
  });

  it('says hello before messages and goodbye after them', async () => {
    const [a, b] = [await open('a'), await open('b')];
    await a.send('one');
    const told: string[] = [];
    let left = false;
    for await (const event of b.events()) {
      told.push(event.kind);
      if (!left) {
        left = true;
        await a.send('two');
        await a.close();
      }
      if (event.kind === 'left') break;
    }
    expect(told).toEqual(['arrived', 'message', 'message', 'left']);
  });

  it('loses no more when it is closed than when it is killed', async () => {
    const file = join(directory, `${name}.cshm`);
    const a = await open('a');
    await a.send('for later');
    expect(await a.close()).toBe(false);
    expect(existsSync(file)).toBe(true);
    const b = await open('b');
    for await (const event of b.events()) {
      if (event.kind === 'message') await b.send('thanks', event.number);
      break;
    }
    expect(await b.close()).toBe(false);
    const later = await open('a');
    for await (const event of later.events()) {
      expect(event).toMatchObject({ kind: 'message', text: 'thanks' });
      leaving.abort();
    }
    expect(await later.close()).toBe(true);
    expect(existsSync(file)).toBe(false);
  });

  it('does not wait for ever for a lock that somebody keeps, when it is closed', async () => {
    const a = await open('a', { farewellPatienceMs: 20 });
    const other = openSegment(name, { directory });
    using _lock = other.tryLock();
    expect(await a.close()).toBe(false);
    expect(steps.at(-1)?.detail).toContain('left without a goodbye');
  });

  it('lets the event loop run while there always is one more message', async () => {
    const [a, b] = [await open('a'), await open('b')];
    for (let i = 0; i < SLOTS; i++) await a.send('x');
    let turns = 0;
    const count = (): void => {
      turns++;
      setImmediate(count).unref();
    };
    setImmediate(count);
    await take(b, SLOTS);
    expect(turns).toBeGreaterThan(2);
  });
});
