/** `chat-server --workers --nats`: two machines that are one chat, of which processes of every kind are killed. */
import { expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../../../../../packages/server/test/support/nats-cluster.js';
import { NatsProcess, newNats } from '../../../../../packages/server/test/support/nats-process.js';
import { enter, NAMES, serve, TIMEOUT_MS, TOKEN, talk, workersOf } from '../../support/people.js';
import type { ServerProcess } from '../../support/server-process.js';

/** The processes that spoke with NATS so far, in their order. */
function relaysOf({ out }: ServerProcess): number[] {
  const lines = out.split('\n').filter((line) => line.includes('"NATS is reached: the chat is shared"'));
  return lines.map((line) => JSON.parse(line).pid);
}

const takesConnections = (count: number): RegExp => new RegExp(`(takes connections[\\s\\S]*){${count}}`);
const isReachedAgain = (count: number): RegExp => new RegExp(`(is reached again[\\s\\S]*){${count}}`);

it.skipIf(newNats === undefined)(
  'is one chat on two machines: nothing is lost or doubled, whichever process is killed, or all of a machine',
  async () => {
    const nats = await NatsProcess.start(newNats!);
    onTestFinished(() => nats.remove());
    const flags = ['--workers', '2', '--nats', nats.url] as const;
    // A port of its own choice would be another one once no worker was left.
    const ports = await freePorts(2);
    const [one, other] = [
      serve(...flags, '--port', String(ports[0])),
      serve(...flags, '--port', String(ports[1])),
    ];
    await Promise.all([one.port(), other.port()]);
    const people = await Promise.all(NAMES.map((name, i) => enter(ports[i % 2]!, name)));
    let isOver = false;
    const kills = (async () => {
      process.kill(relaysOf(one)[0]!, 'SIGKILL');
      // Nobody is left at the other machine who knows what was said, but for the stream.
      for (const { pid } of workersOf(other)) process.kill(pid, 'SIGKILL');
      await one.printed(isReachedAgain(1));
      // Both at once: the worker that comes is told by the one that is left.
      process.kill(relaysOf(one)[1]!, 'SIGKILL');
      process.kill(workersOf(one)[0]!.pid, 'SIGKILL');
      await one.printed(takesConnections(3));
      await other.printed(takesConnections(4));
      for (const pid of [
        relaysOf(other).at(-1)!,
        ...workersOf(other)
          .slice(-2)
          .map((worker) => worker.pid),
      ]) {
        process.kill(pid, 'SIGKILL');
      }
      await other.printed(takesConnections(6));
      isOver = true;
    })();
    await talk(people, () => isOver);
    await kills;
    expect(new Set(people.map(({ client }) => client.epoch)).size).toBe(1);
    const metrics = await fetch(`http://127.0.0.1:${ports[0]}/metrics`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(await metrics.text()).toMatch(/^chat_nats_open\{worker="0"\} 1$/m);
    for (const server of [one, other]) {
      server.child.kill('SIGTERM');
      expect(await server.exit).toBe(0);
    }
    expect([one.errors, other.errors]).toEqual(['', '']);
  },
  TIMEOUT_MS,
);
