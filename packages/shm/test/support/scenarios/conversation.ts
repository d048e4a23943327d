import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  type Conversation,
  type ConversationMessage,
  openConversation,
} from '../../../src/conversation/conversation.js';
import { ShmError } from '../../../src/errors.js';
import { openSegment } from '../../../src/segment/shared-segment.js';
import type { Place, Scenario } from '../scenario.js';

const MESSAGES = 2;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

function open({ name, directory }: Place, side: 'a' | 'b'): Promise<Conversation> {
  return openConversation(name, { directory, side });
}

/** Takes messages until `isEnough` has seen the last one, and is done with each. */
async function read(
  conversation: Conversation,
  isEnough: () => boolean,
  handle: (message: ConversationMessage) => unknown,
): Promise<void> {
  if (isEnough()) return;
  for await (const event of conversation) {
    if (event.kind === 'message') await handle(event);
    if (isEnough()) return;
  }
}

async function answerAll(conversation: Conversation): Promise<void> {
  await read(
    conversation,
    () => conversation.receivedNumber === MESSAGES,
    (message) => conversation.answer(message, bytes(`answer to ${text(message.bytes)}`)),
  );
}

const readAndAnswer: Scenario<Promise<Conversation>, Place> = {
  name: 'conversation: arrive, read and answer, write, leave',
  async setup(place) {
    const a = await open(place, 'a');
    for (let number = 1; number <= MESSAGES; number++) await a.send(bytes(`message ${number}`));
    return a;
  },
  prepare: (place) => place,
  async operation(place) {
    const b = await open(place, 'b');
    await answerAll(b);
    await b.send(bytes('goodbye'));
    await b.close();
  },
  async afterKill(state, place) {
    const a = await state;
    const successor = await open(place, 'b');
    await answerAll(successor);
    const last = await successor.send(bytes('the end'));
    const seen: ConversationMessage[] = [];
    await read(
      a,
      () => seen.length === last,
      (message) => seen.push(message),
    );
    // Every number once, in order; every message answered once, in order.
    assert.deepEqual(
      seen.map(({ number }) => number),
      Array.from({ length: last }, (_, i) => i + 1),
    );
    const answers = seen.filter((message) => message.answers > 0);
    assert.deepEqual(
      answers.map((message) => [message.answers, text(message.bytes)]),
      [1, 2].map((number) => [number, `answer to message ${number}`]),
    );
    const others = seen.filter((message) => message.answers === 0).map((message) => text(message.bytes));
    assert.ok(['the end', 'goodbye,the end'].includes(others.join()), others.join());
    await a.close();
    assert.equal(await successor.close(), true);
    assert.deepEqual(readdirSync(place.directory), []);
  },
  async whileStopped(_, place) {
    try {
      const segment = openSegment(place.name, { directory: place.directory });
      const owner = segment.mutex.owner();
      segment.close();
      // A rival would have to wait for the lock, and rightly so.
      if (owner !== undefined) assert.equal(owner.liveness, 'stopped');
      else await (await open(place, 'b')).close();
    } catch (error) {
      // Refused: the stopped one is side b, or is looking whether it is the last one out.
      const allowed = ['ERR_SHM_ROLE_TAKEN', 'ERR_SHM_BUSY'];
      assert.ok(ShmError.is(error) && allowed.includes(error.code), String(error));
    }
  },
  async afterStop(state, _, outcome) {
    assert.equal(outcome.error, undefined);
    const a = await state;
    const seen: string[] = [];
    await read(
      a,
      () => seen.length === MESSAGES + 1,
      (message) => seen.push(text(message.bytes)),
    );
    const answers = [1, 2].map((number) => `answer to message ${number}`);
    assert.deepEqual(seen, [...answers, 'goodbye']);
  },
  teardown: (state) => void state.then((a) => a.close()),
};

export const conversationScenarios: readonly Scenario[] = [readAndAnswer];
