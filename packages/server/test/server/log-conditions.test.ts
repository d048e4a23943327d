/** A server whose log is cut off from the others, which is in their stream all the same. */
import { CloseCode, FailureCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { expect, it } from 'vitest';
import { createBlockLog } from '../../src/log/shared/block-log.js';
import { type ChatServerOptions, UNLIMITED } from '../../src/options/options.js';
import { ManualClock } from '../support/manual-clock.js';
import { ManyServers } from '../support/many-servers.js';
import { MemoryChat } from '../support/memory-chat.js';
import { SharedStream, type StreamTransport } from '../support/shared-stream.js';
import { turn } from '../support/turn.js';

const CUT_OFF = { state: 'stalled', reason: 'NATS is not reached' } as const;

function cutOff(transport: StreamTransport): void {
  transport.stop();
  transport.receiver!.condition(CUT_OFF);
}

function mend(transport: StreamTransport): void {
  transport.receiver!.condition({ state: 'open' });
  transport.goOn();
}

async function open(options: ChatServerOptions & { readonly maxPendingBytes?: number } = {}): Promise<{
  readonly memory: MemoryChat;
  readonly transport: StreamTransport;
  readonly clock: ManualClock;
}> {
  const { maxPendingBytes, ...more } = options;
  const transport = new SharedStream().transport();
  const clock = new ManualClock();
  const log = createBlockLog(transport, { clock, ...(maxPendingBytes ? { maxPendingBytes } : {}) });
  return { memory: await MemoryChat.open({ ...UNLIMITED, ...more, clock, log }), transport, clock };
}

it('keeps what is said in order while it is cut off, and tells those who read lines', async () => {
  const { memory, transport } = await open();
  const ada = await memory.enter('ada');
  const { handle } = await ada.join('lobby');
  const eve = memory.connectLine();
  eve.send('eve\n');
  await turn(4);
  cutOff(transport);
  ada.publish(handle, 'one');
  await turn(2);
  ada.publish(handle, 'three');
  await turn(4);
  expect(eve.text()).toContain('*** the server is cut off from the others: what you say waits\n');
  expect(eve.text()).not.toContain('one');
  mend(transport);
  await turn(8);
  expect(eve.text()).toMatch(
    /\*\*\* the server is in touch with the others again\n(.*\n)*ada: one\nada: three\n$/,
  );
  expect(
    ada
      .entries(handle)
      .filter(({ type }) => type === FrameType.Message)
      .map(({ body }) => Buffer.from(body).toString()),
  ).toEqual(['one', 'three']);
});

it('refuses what is beyond the bound, and nothing before it', async () => {
  const { memory, transport } = await open({ maxPendingBytes: 1000 });
  const ada = await memory.enter('ada');
  const { handle } = await ada.join('lobby');
  cutOff(transport);
  for (let id = 1; id <= 3; id++) ada.publish(handle, 'x'.repeat(600));
  await turn(4);
  const refused = await ada.take(FrameType.Nack);
  expect(refused).toMatchObject({
    publishId: 3,
    failure: { code: FailureCode.Unavailable, retryAfterMs: 1000 },
  });
  expect(refused.failure.message).toContain('the log is stalled: NATS is not reached');
  mend(transport);
  for (const publishId of [1, 2]) expect(await ada.take(FrameType.Ack)).toMatchObject({ publishId });
});

it('sends its clients to the others once it has lasted, lets nobody in until it is over, and they lose nothing', async () => {
  const many = await ManyServers.open(2, { maxStallMs: 3000 });
  const [one, other] = many.all;
  const ada = await one!.memory.enter('ada');
  const bob = await one!.memory.enter('bob');
  cutOff(one!.transport);
  many.clock.advance(2500);
  await turn(2);
  expect(ada.link.closed).toBe(false);
  many.clock.advance(1000);
  const closes = [await ada.closed, await bob.closed];
  for (const close of closes) {
    expect(close).toMatchObject({
      code: CloseCode.GoingAway,
      reason: 'the server is cut off from the others',
    });
  }
  const [first, second] = closes.map((close) => close!.retryAfterMs);
  expect(first).not.toBe(second);
  const late = one!.memory.connect();
  late.greet({ name: 'late' });
  expect(await late.closed).toMatchObject({ code: CloseCode.Overloaded, retryAfterMs: 5000 });
  const { session, secret, epoch } = ada.welcome!;
  const again = await other!.memory.enter({
    name: 'ada',
    resume: { session, secret, epoch, rooms: [], inbox: 0 },
  });
  expect(again.welcome!.resumed).toBe(true);
  mend(one!.transport);
  await turn(4);
  await one!.memory.enter('late');
});

it('keeps its clients for ever where it is told to', async () => {
  const { memory, transport, clock } = await open({ maxStallMs: Number.POSITIVE_INFINITY });
  const ada = await memory.enter('ada');
  cutOff(transport);
  clock.advance(20_000);
  await turn(2);
  expect(ada.link.closed).toBe(false);
});
