/**
 * Somebody sets the clock of the machine by an hour, again and again, in the middle of everything: what lasts
 * lasts as long as it did. Each story is told once with a clock that runs on and once for each way to set it.
 */
import { CloseCode } from '@chat/protocol';
import { FrameType } from '@chat/protocol/frames';
import { describe, expect, it } from 'vitest';
import { type ConnectOptions, connect } from '../src/index.js';
import { createTimeline } from '../src/timeline/index.js';
import { connected, join, scene } from './support/connected.js';
import { FakeClock, turns } from './support/fake-clock.js';
import { ADA, BOB, FakeRoom } from './support/fake-room.js';
import { ScriptedServer } from './support/scripted-server.js';

const HOUR_MS = 3_600_000;

/** Lets time pass in steps, sets the clock before each, and writes down what happened when. */
class Story {
  readonly clock: FakeClock;
  readonly #jumpMs: number;
  readonly #startedAt: number;
  readonly lines: string[] = [];

  constructor(clock: FakeClock, jumpMs: number) {
    this.clock = clock;
    this.#jumpMs = jumpMs;
    this.#startedAt = clock.monotonic();
  }

  readonly tell = (line: string): void => {
    this.lines.push(`${this.clock.monotonic() - this.#startedAt} ${line}`);
  };

  /** Tells the outcome of a promise. */
  watch(name: string, promise: Promise<unknown>): void {
    promise.then(
      (value) => this.tell(`${name} ${typeof value === 'number' ? value : 'done'}`),
      (error: { readonly code: string }) => this.tell(`${name} ${error.code}`),
    );
  }

  async pass(ms: number, stepMs = 500): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      this.clock.set(this.#jumpMs);
      await this.clock.advance(Math.min(left, stepMs));
    }
  }
}

type Teller = (jumpMs: number) => Promise<readonly string[]>;

const request: Teller = async (jumpMs) => {
  const { client, server, clock } = await connected({ requestTimeoutMs: 3000 });
  const story = new Story(clock, jumpMs);
  story.watch('answered', client.rooms());
  await story.pass(1000);
  await server.end.respond({ rooms: [] });
  story.watch('unanswered', client.rooms());
  await story.pass(4000);
  return story.lines;
};

const waiting: Teller = async (jumpMs) => {
  const made = await connected({ outbox: { maxAgeMs: 8000 }, reconnect: { baseDelayMs: 60_000 } });
  const room = await join(made);
  const story = new Story(made.clock, jumpMs);
  story.watch('on its way', room.send('one'));
  await story.pass(3000);
  await made.server.end.cut();
  story.watch('not sent', room.send('two'));
  await story.pass(12_000);
  return story.lines;
};

const backoff: Teller = async (jumpMs) => {
  const { client, server, clock } = await connected();
  const story = new Story(clock, jumpMs);
  client.on('state', (state) => {
    story.tell(state.status);
    // What users see is the time of day, and so set with it.
    if (state.status === 'reconnecting') story.tell(`in ${state.nextAt - clock.now()}`);
  });
  server.refusal = new Error('not now');
  await server.end.cut();
  await story.pass(20_000, 250);
  server.refusal = undefined;
  server.hospitable = true;
  await story.pass(20_000, 250);
  // The connection lasted, so that delays are short again.
  await server.end.cut();
  await story.pass(1000, 250);
  // This one did not.
  await server.end.cut();
  await story.pass(1000, 250);
  return story.lines;
};

const patience: Teller = async (jumpMs) => {
  const { client, server, clock } = scene({ reconnect: { initial: true, nameTakenTimeoutMs: 20_000 } });
  const story = new Story(clock, jumpMs);
  story.watch('connect', client.connect());
  await turns();
  for (let i = 0; i < 300 && client.state.status !== 'closed'; i++) {
    const { end } = server;
    if (end.ended === undefined) {
      story.tell('name taken');
      await end.close(CloseCode.NameTaken);
    }
    await story.pass(100, 100);
  }
  return story.lines;
};

const welcome: Teller = async (jumpMs) => {
  const server = new ScriptedServer();
  const clock = new FakeClock();
  const story = new Story(clock, jumpMs);
  const options: ConnectOptions = { name: 'ada', clock, transport: server.transport, connectTimeoutMs: 4000 };
  story.watch('connect', connect('tcp://test', options));
  await story.pass(5000);
  return story.lines;
};

/** The server answers each ping after two seconds. */
const alive: Teller = async (jumpMs) => {
  const { client, server, clock } = await connected();
  const story = new Story(clock, jumpMs);
  client.on('state', ({ status }) => story.tell(status));
  story.watch('round trip', client.ping());
  for (let answered = 0; clock.monotonic() < 1_600_000; ) {
    await story.pass(2000, 1000);
    const pings = server.end.all(FrameType.Ping);
    for (const { nonce } of pings.slice(answered)) await server.end.send({ type: FrameType.Pong, nonce });
    answered = pings.length;
  }
  return story.lines;
};

const typing: Teller = async (jumpMs) => {
  const room = new FakeRoom();
  const clock = new FakeClock();
  const story = new Story(clock, jumpMs);
  const timeline = createTimeline(room.asRoom(), { clock, self: () => ADA });
  timeline.subscribe(() => story.tell(`${timeline.snapshot.typists.length} writing`));
  room.tell({ type: 'signal', room: 'lobby', sender: BOB, value: { typing: true } });
  for (let i = 0; i < 20; i++) {
    timeline.typing(true);
    await story.pass(500);
  }
  story.tell(`told ${room.signals.length} times`);
  timeline.close();
  return story.lines;
};

describe.each([
  ['a request', request, ['1000 answered done', '4000 unanswered ERR_CLIENT_REQUEST_TIMEOUT']],
  [
    'a message that waits',
    waiting,
    ['8000 on its way ERR_CLIENT_UNCONFIRMED', '11000 not sent ERR_CLIENT_OUTBOX_EXPIRED'],
  ],
  ['the delays between attempts', backoff, undefined],
  ['the patience with a name that is taken', patience, undefined],
  ['the wait for a welcome', welcome, ['4000 connect ERR_CLIENT_CONNECT_TIMEOUT']],
  ['a connection whose server answers', alive, ['2000 round trip 2000']],
  ['who is writing', typing, ['0 1 writing', '6000 0 writing', '10000 told 4 times']],
] as const)('%s', (_name, tell, expected) => {
  it('lasts as long when the clock is set forward, or back', async () => {
    const lines = await tell(0);
    expect(lines.length).toBeGreaterThan(0);
    if (expected) expect(lines).toEqual(expected);
    expect(await tell(HOUR_MS)).toEqual(lines);
    expect(await tell(-HOUR_MS)).toEqual(lines);
  });
});
