import { decodeFrame, FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { InputGate } from '../../src/connection/input-gate.js';
import { Sender } from '../../src/connection/sender.js';
import type { ShownEntry } from '../../src/log/entry.js';
import { resolveOptions } from '../../src/options/options.js';
import { FanOut } from '../../src/room/fan-out.js';
import { Membership, Room } from '../../src/room/room.js';
import { Counters } from '../../src/session/counters.js';
import type { Peer } from '../../src/session/peer.js';
import { ManualClock } from '../support/manual-clock.js';
import { MemoryLink } from '../support/memory-link.js';
import { turn } from '../support/turn.js';

function setUp(maxQueuedBytes = 100) {
  const [clock, link, counters] = [new ManualClock(), new MemoryLink(), new Counters()];
  const gate = new InputGate(link, clock, { takeNext: () => false, debtMs: () => 0, failed: () => {} });
  const delivered: Membership[] = [];
  const peer = {
    flush: () => sender.flush(),
    deliver: (membership: Membership) => {
      delivered.push(membership);
      membership.moveTo(membership.room.log.end());
      sender.write(Buffer.from(membership.room.name));
      sender.look();
    },
  } as unknown as Peer;
  const context = { options: resolveOptions({ maxQueuedBytes }), counters, fanOut: new FanOut(clock, 0) };
  const sender = new Sender(context, link, gate, peer);
  let text = '';
  link.onOutput = (bytes) => {
    text += Buffer.from(bytes).toString('latin1');
  };
  return { sender, link, counters, delivered, text: () => text };
}

/** A member that has not been sent the one entry of a room. */
function behind(name: string, handle: number): Membership {
  const room = new Room(name, name, handle, { maxBytes: 65_536, maxEntries: 100, maxAgeMs: 1000 });
  const member = { memberId: 1, name: 'ada', peer: undefined, lagged: () => {} };
  const membership = new Membership(member, room, 1, room.log.end());
  const entry = { type: FrameType.Message, codec: 1, kind: 0, sender: 2, seq: 1, at: 1 };
  room.log.append({ ...entry, name: Buffer.from('bob'), body: Buffer.from('x') } as unknown as ShownEntry);
  return membership;
}

describe('Sender', () => {
  it('sends the answers of a turn together, at its end', async () => {
    const { sender, text, counters } = setUp();
    sender.answer(Buffer.from('one '));
    sender.answer(Buffer.from('two '));
    sender.answerParts(Buffer.from('head '), Buffer.from('rest'));
    expect([text(), sender.queuedBytes, sender.hasAnswers]).toEqual(['', 17, true]);
    await turn();
    expect([text(), sender.queuedBytes, sender.hasAnswers]).toEqual(['one two head rest', 0, false]);
    expect(counters.bytesOut).toBe(17);
  });

  it('writes acks as frames', async () => {
    const { sender, text } = setUp();
    sender.ack(7, 8, 9);
    await turn();
    expect(decodeFrame(Buffer.from(text(), 'latin1'))).toMatchObject({ publishId: 7, seq: 8, at: 9 });
  });

  it('writes nothing while bytes are unsent, and everything behind them', async () => {
    const { sender, link, text } = setUp();
    link.stall();
    sender.write(Buffer.from('a'));
    sender.look();
    sender.answer(Buffer.from('b'));
    await turn();
    expect([sender.isBlocked, sender.queuedBytes, link.unsentBytes]).toEqual([true, 1, 1]);
    link.flow();
    sender.unblock();
    expect([text(), sender.isBlocked]).toEqual(['ab', false]);
  });

  it('stops the input of a peer whose answers pile up, those that are unsent included', () => {
    const { sender, link } = setUp(100);
    link.stall();
    sender.answer(Buffer.alloc(80));
    sender.flush();
    expect([sender.isFull, link.paused, sender.queuedBytes]).toEqual([false, false, 80]);
    sender.answer(Buffer.alloc(21));
    expect([sender.isFull, link.paused, sender.queuedBytes]).toEqual([true, true, 101]);
  });

  it('sends large answers before the turn ends', () => {
    const { sender, text } = setUp(100);
    sender.answer(Buffer.from('x'.repeat(101)));
    expect(text()).toHaveLength(101);
  });

  it('ends with the last answer, whatever is unsent', () => {
    const { sender, link, text } = setUp();
    link.stall();
    sender.write(Buffer.from('a'));
    sender.look();
    sender.answer(Buffer.from('b'));
    sender.last(Buffer.from('c'));
    link.flow();
    expect(text()).toBe('abc');
  });

  it('wakes who waits until it is flushed, also when nothing will be flushed any more', async () => {
    const { sender } = setUp();
    const flushed = sender.flushed();
    sender.unblock();
    await flushed;
    const stopped = sender.flushed();
    sender.stop();
    await stopped;
    expect(sender.isBlocked).toBe(false);
  });

  it('gives each room its turn before a peer that reads slowly', () => {
    const { sender, link, delivered } = setUp();
    const [a, b, c] = [behind('a', 1), behind('b', 2), behind('c', 3)];
    link.stall();
    sender.catchUp([a, b, c]);
    expect(delivered).toEqual([a]);
    link.flow();
    sender.unblock();
    a.moveTo({ chunk: a.chunk, offset: 0 });
    link.stall();
    sender.catchUp([a, b, c]);
    expect(delivered).toEqual([a, b]);
    link.flow();
    sender.unblock();
    sender.catchUp([a, b, c]);
    expect(delivered).toEqual([a, b, c, a]);
  });
});
