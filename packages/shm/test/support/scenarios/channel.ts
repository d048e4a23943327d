import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Channel, type ChannelSide, openChannel } from '../../../src/channel/channel.js';
import { ShmError } from '../../../src/errors.js';
import { numbered, numberOf, range } from '../numbered.js';
import type { Place, Scenario } from '../scenario.js';

const open = ({ name, directory }: Place, side: ChannelSide): Channel =>
  openChannel(name, { directory, side, capacityBytes: 8192 });

const LAST = 6;
const END = 99;

interface State {
  readonly channel: Channel;
  readonly asleep: Promise<boolean>;
}

/** Side a, asleep, so that the first message of side b has to ring. */
function asleep(place: Place, unread: readonly number[] = []): State {
  const channel = open(place, 'a');
  for (const number of unread) channel.trySend(numbered(number));
  return { channel, asleep: channel.readable() };
}

/** Everything that comes up to the message END, which is not returned. */
async function untilEnd(channel: Channel): Promise<number[]> {
  const numbers: number[] = [];
  for await (const message of channel) {
    const number = numberOf(message);
    if (number === END) {
      channel.release();
      break;
    }
    numbers.push(number);
  }
  return numbers;
}

async function seesDeath({ channel }: State): Promise<void> {
  if (channel.peer.state !== 'died') await once(channel, 'peer-died');
}

function refusesRival(place: Place): void {
  assert.throws(
    () => open(place, 'b'),
    (error) => ShmError.is(error) && error.code === 'ERR_SHM_ROLE_TAKEN',
  );
}

const send: Scenario<State, Channel> = {
  name: 'channel: send to one who sleeps',
  setup: (place) => asleep(place),
  prepare: (place) => open(place, 'b'),
  operation(channel) {
    for (const number of range(1, LAST)) assert.ok(channel.trySend(numbered(number)));
  },
  async afterKill(state, place, killed) {
    await seesDeath(state);
    // Killed between the message and the ring: the close of the connection, or the safety look, has to wake us.
    const first = state.channel.take();
    if (first !== undefined) assert.equal(await state.asleep, true);
    const successor = open(place, 'b');
    assert.ok(successor.trySend(numbered(END)));
    const seen = first === undefined ? [] : [numberOf(first)];
    seen.push(...(await untilEnd(state.channel)));
    assert.deepEqual(seen, range(1, killed === undefined ? LAST : seen.length));
    successor.close();
  },
  whileStopped({ channel }, place) {
    refusesRival(place);
    assert.equal(channel.trySend(numbered(1)), true);
  },
  async afterStop({ channel }, _, outcome) {
    assert.equal(outcome.error, undefined);
    const seen: number[] = [];
    for await (const message of channel) if (seen.push(numberOf(message)) === LAST) break;
    assert.deepEqual(seen, range(1, LAST));
  },
  teardown: ({ channel }) => channel.close(),
};

const echo: Scenario<State, Channel> = {
  name: 'channel: receive and answer',
  setup: (place) => asleep(place, range(1, LAST)),
  prepare: (place) => open(place, 'b'),
  async operation(channel) {
    for await (const message of channel) {
      await channel.send(message);
      if (numberOf(message) !== LAST) continue;
      channel.release();
      break;
    }
  },
  async afterKill(state, place, killed) {
    await seesDeath(state);
    const successor = open(place, 'b');
    const again: number[] = [];
    for (let message = successor.tryReceive(); message !== undefined; message = successor.tryReceive())
      again.push(numberOf(message));
    assert.ok(successor.trySend(numbered(END)));
    const answered = await untilEnd(state.channel);
    assert.deepEqual(answered, range(1, answered.length));
    assert.deepEqual(again, range(LAST + 1 - again.length, LAST));
    // Nothing is lost, and at most the message that was being answered comes twice.
    const twice = answered.length + again.length - LAST;
    assert.ok(twice === 0 || (twice === 1 && killed !== undefined), `${twice} messages twice`);
    successor.close();
  },
  whileStopped: (_, place) => refusesRival(place),
  async afterStop({ channel }, _, outcome) {
    assert.equal(outcome.error, undefined);
    const answered: number[] = [];
    for await (const message of channel) if (answered.push(numberOf(message)) === LAST) break;
    assert.deepEqual(answered, range(1, LAST));
  },
  teardown: ({ channel }) => channel.close(),
};

const visit: Scenario<State, Place> = {
  name: 'channel: open, send, close',
  setup: (place) => asleep(place),
  prepare: (place) => place,
  operation(place) {
    const channel = open(place, 'b');
    channel.trySend(numbered(1));
    channel.close();
  },
  async afterKill(state, place) {
    const successor = open(place, 'b');
    assert.ok(successor.trySend(numbered(END)));
    const seen = await untilEnd(state.channel);
    assert.deepEqual(seen, range(1, seen.length));
    successor.close();
    while (state.channel.peer.state !== 'left') await once(state.channel, 'peer-left');
  },
  afterStop(_, __, outcome) {
    assert.equal(outcome.error, undefined);
  },
  teardown: ({ channel }) => channel.close(),
};

export const channelScenarios: readonly Scenario[] = [send, echo, visit];
