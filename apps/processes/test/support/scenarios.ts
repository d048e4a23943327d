/** What process A and process B do with the segment, to be killed at each step. */
import assert from 'node:assert/strict';
import type { Place, Scenario } from '../../../../packages/shm/test/support/scenario.js';
import { Conversation, type Message, type Side } from '../../src/conversation.js';

const LAST = 3;

function open({ name, directory }: Place, side: Side): Promise<Conversation> {
  return Conversation.open(name, side, { signal: new AbortController().signal, onStep: () => {}, directory });
}

/** The messages up to number `last`, each done with. */
async function read(conversation: Conversation, last: number): Promise<Message[]> {
  const messages: Message[] = [];
  if (conversation.receivedNumber >= last) return messages;
  for await (const event of conversation.events()) {
    if (event.kind !== 'message') continue;
    messages.push(event);
    // Being asked for more than there is, it would wait.
    if (event.number === last) await conversation.send('done', event.number);
    if (event.number === last) break;
  }
  return messages;
}

const textOf = (number: number): string => `message ${number}`;

/** A sends; what it had written when it was killed is there, whole, and its successor goes on with the next number. */
const send: Scenario<Conversation, Place> = {
  name: 'processes: A arrives and sends',
  setup: (place) => open(place, 'b'),
  prepare: (place) => place,
  async operation(place) {
    const a = await open(place, 'a');
    for (let number = 1; number <= LAST; number++) await a.send(textOf(number));
  },
  async afterKill(b, place, killed) {
    const successor = await open(place, 'a');
    const sent = successor.sentNumber;
    if (killed === undefined) assert.equal(sent, LAST);
    for (let number = sent + 1; number <= LAST + 1; number++) {
      assert.equal(await successor.send(textOf(number)), number);
    }
    const messages = await read(b, LAST + 1);
    assert.deepEqual(
      messages.map(({ number, text }) => [number, text]),
      Array.from({ length: LAST + 1 }, (_, i) => [i + 1, textOf(i + 1)]),
    );
    await successor.close();
  },
  teardown: (b) => void b.close(),
};

/** B answers each message; killed anywhere, each is answered once, by it or by its successor. */
const answer: Scenario<Conversation, Place> = {
  name: 'processes: B reads and answers',
  async setup(place) {
    const a = await open(place, 'a');
    for (let number = 1; number <= LAST; number++) await a.send(textOf(number));
    return a;
  },
  prepare: (place) => place,
  async operation(place) {
    await answerAll(await open(place, 'b'));
  },
  async afterKill(a, place) {
    const successor = await open(place, 'b');
    await answerAll(successor);
    assert.equal(successor.sentNumber, LAST);
    const answers = await read(a, LAST);
    assert.deepEqual(
      answers.map(({ text }) => text),
      Array.from({ length: LAST }, (_, i) => `thank you for ${textOf(i + 1)}`),
    );
    await successor.close();
  },
  teardown: (a) => void a.close(),
};

async function answerAll(b: Conversation): Promise<void> {
  if (b.receivedNumber >= LAST) return;
  for await (const event of b.events()) {
    if (event.kind !== 'message') continue;
    await b.send(`thank you for ${event.text}`, event.number);
    if (event.number === LAST) return;
  }
}

export const conversationScenarios: readonly Scenario[] = [send, answer];
