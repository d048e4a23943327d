/**
 * Hundreds of clients that come, go, break off and come back at random, in every dialect. What was accepted is
 * delivered to every member that stays, in order, none twice: read off `seq` and `prev`.
 */
import { type Entry, FrameType, type Hello, type Joined } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { UNLIMITED } from '../src/options/options.js';
import { CARRIERS, type Station, station } from './support/carriers.js';
import { seeded } from './support/seeded.js';
import { turn, until } from './support/turn.js';
import { followChain, type WireClient } from './support/wire-client.js';

interface Presence {
  readonly client: WireClient;
  readonly joined: Joined;
  /** Texts by publish id, of what was not answered yet. */
  readonly waiting: Map<number, string>;
}

/** What all of them together know of the room: text by position. */
class Truth {
  readonly texts = new Map<number, string>();
  readonly accepted = new Map<number, string>();
  first = Number.POSITIVE_INFINITY;

  /** Reads off one presence what was accepted and what arrived. */
  add({ client, joined, waiting }: Presence): void {
    const last = followChain(client.frames, joined.handle, joined.start);
    this.first = Math.min(this.first, joined.start);
    for (const frame of client.frames) {
      if (frame.type === FrameType.Ack) {
        const text = waiting.get(frame.publishId);
        if (text !== undefined) this.#agree(this.accepted, frame.seq, text);
      }
    }
    for (const entry of client.entries(joined.handle))
      this.#agree(this.texts, entry.seq, describeEntry(entry));
    expect(last).toBeGreaterThanOrEqual(joined.start);
  }

  /** Two who speak of the same position say the same. */
  #agree(known: Map<number, string>, seq: number, text: string): void {
    // Not `expect`, which takes longer than what it checks here.
    const other = known.get(seq);
    if (other === undefined) known.set(seq, text);
    else if (other !== text) throw new Error(`at ${seq} one has "${other}", another "${text}"`);
  }
}

function describeEntry(entry: Entry): string {
  if (entry.type === FrameType.Notice) return `* ${entry.kind} ${entry.name}`;
  return `${entry.name}: ${new TextDecoder().decode(entry.body)}`;
}

async function comeIn(server: Station, name: string, resume?: Hello['resume']): Promise<Presence> {
  const client = server.connect();
  await client.enter({ name, ...(resume ? { resume } : {}) }, server.preface);
  const [resumed] = client.welcome!.rooms;
  const joined = client.welcome!.resumed && resumed ? resumed : await client.join('lobby');
  return { client, joined, waiting: new Map() };
}

describe.each(CARRIERS)('a crowd over %s', (carrier) => {
  const people = carrier === 'TCP' ? 300 : 50;

  it('misses nothing, doubles nothing, and agrees about the order', async () => {
    await using server = await station(carrier, {
      ...UNLIMITED,
      retentionBytes: 64_000_000,
      retentionEntries: 1_000_000,
      presenceDelayMembers: 30,
      presenceDelayMs: 1,
    });
    const random = seeded(2024);
    const truth = new Truth();
    const steady = await comeIn(server, 'steady');
    const present: Presence[] = [];
    let [names, texts, tornTimes] = [0, 0, 0];
    const fromSteady: string[] = [];
    while (names < people || present.length > 0) {
      const dice = random.next();
      const index = random.below(Math.max(1, present.length));
      const someone = present[index];
      if (names < people && (present.length < 10 || (dice < 0.25 && present.length < 40))) {
        present.push(await comeIn(server, `m${++names}`));
      } else if (someone && dice < 0.75) {
        const text = `text ${++texts}`;
        someone.waiting.set(
          someone.client.publish(someone.joined.handle, text),
          `${someone.client.welcome!.member.name}: ${text}`,
        );
      } else if (dice < 0.8) {
        fromSteady.push(`steady: ${fromSteady.length}`);
        steady.client.publish(steady.joined.handle, `${fromSteady.length - 1}`);
      } else if (someone && dice < 0.87) {
        present.splice(index, 1);
        someone.client.send({ type: FrameType.Close, code: 1000, retryAfterMs: 0, reason: '' });
        await someone.client.closed;
        truth.add(someone);
      } else if (someone && dice < 0.97) {
        // Torn, and back at once, from the last entry that arrived; everything unanswered is sent again.
        tornTimes++;
        someone.client.pipe.destroy();
        truth.add(someone);
        const { session, secret, epoch, member } = someone.client.welcome!;
        const after = followChain(someone.client.frames, someone.joined.handle, someone.joined.start);
        const again = await comeIn(server, member.name, {
          ...{ session, secret, epoch, inbox: 0 },
          rooms: [{ room: 'lobby', after }],
        });
        expect(again.client.welcome!.resumed).toBe(true);
        expect(again.joined.start).toBe(after);
        const acked = new Set(
          someone.client.frames.flatMap((frame) => (frame.type === FrameType.Ack ? frame.publishId : [])),
        );
        again.client.publishId = 0;
        for (const [publishId, said] of someone.waiting) {
          if (acked.has(publishId)) continue;
          again.client.publishId = publishId - 1;
          again.waiting.set(
            again.client.publish(again.joined.handle, said.slice(said.indexOf(': ') + 2)),
            said,
          );
        }
        again.client.publishId = someone.client.publishId;
        present[index] = again;
      }
      if (random.below(10) === 0) await turn();
    }
    const last = await steady.client.say(steady.joined.handle, `${fromSteady.length}`);
    fromSteady.push(`steady: ${fromSteady.length}`);
    await until(() => steady.client.entries(steady.joined.handle).some(({ seq }) => seq === last));
    truth.add(steady);

    expect(tornTimes).toBeGreaterThan(people / 6);
    // Everything that was ever accepted, and everything that anybody saw, is what the steady one saw.
    const seen = new Map(
      steady.client.entries(steady.joined.handle).map((entry) => [entry.seq, describeEntry(entry)]),
    );
    const missed = [...truth.accepted, ...truth.texts].filter(([seq, text]) => seen.get(seq) !== text);
    expect(missed).toEqual([]);
    expect(truth.accepted.size).toBeGreaterThan(people);
    const messages = [...seen.values()].filter((text) => !text.startsWith('*'));
    expect(new Set(messages).size).toBe(messages.length);
    expect(messages.filter((text) => text.startsWith('steady:'))).toEqual(fromSteady);
  }, 60_000);
});
