import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Conversation,
  type ConversationMessage,
  type ConversationOptions,
  type ConversationPresence,
  type ConversationStep,
  openConversation,
} from '../../src/conversation/conversation.js';
import { conversationBytes, SLOTS_OFFSET, slotBytes } from '../../src/conversation/layout.js';
import { openSegment } from '../../src/segment/shared-segment.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('Conversation', () => {
  let directory: string;
  let opened: Conversation[];
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chat-shm-conversation-'));
    opened = [];
  });
  afterEach(async () => {
    for (const conversation of opened) await conversation.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** The bells that belong to open sides aside. */
  const segments = () => readdirSync(directory).filter((file) => file.endsWith('.cshm'));

  async function open(side: 'a' | 'b', options: Partial<ConversationOptions> = {}): Promise<Conversation> {
    const conversation = await openConversation('talk', { directory, side, ...options });
    opened.push(conversation);
    return conversation;
  }

  /** The next event of a kind; those before it are done with. */
  async function next(conversation: Conversation): Promise<ConversationMessage>;
  async function next(conversation: Conversation, kind: 'arrived' | 'left'): Promise<ConversationPresence>;
  async function next(conversation: Conversation, kind = 'message') {
    for await (const event of conversation) if (event.kind === kind) return event;
    throw new Error('ended');
  }

  /** All that comes until the other side has left. */
  async function untilLeft(conversation: Conversation): Promise<string[]> {
    const seen: string[] = [];
    for await (const event of conversation) {
      seen.push(event.kind === 'message' ? new TextDecoder().decode(event.bytes) : event.kind);
      if (event.kind === 'left') return seen;
    }
    throw new Error('ended');
  }

  it('carries messages both ways, numbered from 1', async () => {
    const a = await open('a');
    const b = await open('b');
    expect([await a.send(bytes('one')), await a.send(bytes('two')), await b.send(bytes('eins'))]).toEqual([
      1, 2, 1,
    ]);
    const toA = await next(a);
    expect([toA.number, new TextDecoder().decode(toA.bytes), toA.answers]).toEqual([1, 'eins', 0]);
    expect(await next(b)).toMatchObject({ number: 1 });
  });

  it('hands out a message again until it was done with', async () => {
    const a = await open('a');
    await a.send(bytes('one'));
    const b = await open('b');
    expect(await next(b)).toMatchObject({ number: 1, again: false });
    expect(await next(b)).toMatchObject({ number: 1, again: true });
    expect(b.receivedNumber).toBe(0);
    await b.answer(await next(b), bytes('yes'));
    expect(b.receivedNumber).toBe(1);
    expect(await next(a)).toMatchObject({ number: 1, answers: 1 });
  });

  it('goes on where it was when a side leaves and comes back', async () => {
    const a = await open('a');
    const b = await open('b');
    await a.send(bytes('one'));
    await b.answer(await next(b), bytes('yes'));
    await b.close();
    expect(await a.send(bytes('two'))).toBe(2);
    const again = await open('b');
    expect([again.sentNumber, again.receivedNumber]).toEqual([1, 1]);
    expect(await next(again)).toMatchObject({ number: 2, again: false });
  });

  it('tells of the other side: that it arrived before its messages, that it left after them', async () => {
    const a = await open('a');
    const b = await open('b');
    const seen = untilLeft(a);
    await next(b, 'arrived');
    await b.send(bytes('one'));
    await b.send(bytes('two'));
    // Only who was seen can be seen to leave.
    while (a.receivedNumber < 2) await new Promise(setImmediate);
    await b.close();
    expect(await seen).toEqual(['arrived', 'one', 'two', 'left']);
  });

  it('waits for room, and is stopped there by its signal', async () => {
    const leaving = new AbortController();
    const a = await open('a', { capacity: 2, signal: leaving.signal });
    const b = await open('b', { capacity: 2 });
    await a.send(bytes('one'));
    await a.send(bytes('two'));
    const third = a.send(bytes('three'));
    await b.answer(await next(b), bytes('yes'));
    expect(await third).toBe(3);
    const fourth = a.send(bytes('four'));
    leaving.abort(new Error('enough'));
    await expect(fourth).rejects.toThrow('enough');
    expect(a.sentNumber).toBe(3);
  });

  it('uses every slot many times over without mixing messages up', async () => {
    const text = (number: number) => `message ${number} `.repeat(1 + (number % 9));
    const a = await open('a', { capacity: 3 });
    const b = await open('b', { capacity: 3 });
    const sending = Promise.all(Array.from({ length: 50 }, (_, i) => a.send(bytes(text(i + 1)))));
    const seen: string[] = [];
    for await (const event of b) {
      if (event.kind === 'message') seen.push(new TextDecoder().decode(event.bytes));
      if (seen.length === 50) break;
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => text(i + 1)));
    expect((await sending).at(-1)).toBe(50);
  });

  it('takes messages up to maxMessageBytes, the empty one included', async () => {
    const a = await open('a', { maxMessageBytes: 10 });
    const b = await open('b', { maxMessageBytes: 10 });
    await expect(a.send(new Uint8Array(11))).rejects.toMatchObject({ code: 'ERR_SHM_TOO_LARGE' });
    await a.send(new Uint8Array(0));
    await a.send(new Uint8Array(10).fill(7));
    const empty = await next(b);
    expect(empty.bytes).toEqual(new Uint8Array(0));
    await b.answer(empty, bytes('yes'));
    expect((await next(b)).bytes).toEqual(new Uint8Array(10).fill(7));
  });

  it('refuses a second process on a side, by its number', async () => {
    await open('a');
    await expect(open('a')).rejects.toMatchObject({
      code: 'ERR_SHM_ROLE_TAKEN',
      message: expect.stringContaining(`${process.pid}`),
    });
    await open('b');
  });

  it('removes the segment with the last one out', async () => {
    const a = await open('a');
    const b = await open('b');
    expect(await a.close()).toBe(false);
    expect(await a.close()).toBe(false);
    expect(segments()).toEqual(['talk.cshm']);
    expect(await b.close()).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
    await expect(b.send(bytes('late'))).rejects.toMatchObject({ code: 'ERR_SHM_CLOSED' });
    expect(() => b.sentNumber).toThrow(expect.objectContaining({ code: 'ERR_SHM_CLOSED' }));
  });

  it('reports each step that it took', async () => {
    const steps: ConversationStep[] = [];
    const a = await open('a', { onStep: (step) => steps.push(step) });
    await a.send(bytes('one'));
    await a.close();
    expect(steps.map(({ name }) => name).join(', ')).toBe(
      'create, attach, lock, write, unlock, lock, write, unlock, lock, write, unlock, detach, clean up',
    );
    expect(steps[6]?.detail).toBe('message 1, 3 bytes; flag written = 1');
    expect(steps.at(-1)?.detail).toBe('last one out: segment removed; 1 of our messages were never read');
  });

  it('ends when its signal is aborted, at once if it was before', async () => {
    const leaving = new AbortController();
    const a = await open('a', { signal: leaving.signal });
    const ended = next(a);
    leaving.abort();
    await expect(ended).rejects.toThrow('ended');
    await expect(next(a)).rejects.toThrow('ended');
  });

  it('stops waiting for the lock when its signal is aborted, and does not come', async () => {
    await open('a');
    const segment = openSegment('talk', { directory });
    const lock = segment.tryLock();
    const leaving = new AbortController();
    const coming = open('b', { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(coming).rejects.toThrow('enough');
    lock?.release();
    segment.close();
    await open('b');
  });

  it('says what is wrong with an option, and makes nothing', async () => {
    await expect(open('c' as 'a')).rejects.toThrow("side is 'a' or 'b', not \"c\"");
    await expect(open('a', { capacity: 0 })).rejects.toThrow(RangeError);
    await expect(open('a', { maxMessageBytes: 1.5 })).rejects.toThrow(RangeError);
    expect(readdirSync(directory)).toEqual([]);
    await open('a', { capacity: 2 });
    await expect(open('b', { capacity: 3 })).rejects.toMatchObject({ code: 'ERR_SHM_PARAMS' });
  });

  it('does not believe a length that cannot be', async () => {
    const b = await open('b', { maxMessageBytes: 8, capacity: 2 });
    const a = await open('a', { maxMessageBytes: 8, capacity: 2 });
    await a.send(bytes('one'));
    const segment = openSegment('talk', { directory, payloadBytes: conversationBytes(8, 2) });
    segment.words[(SLOTS_OFFSET + slotBytes(8)) / 4] = 9;
    segment.close();
    await expect(next(b)).rejects.toMatchObject({ code: 'ERR_SHM_CORRUPT' });
  });
});
