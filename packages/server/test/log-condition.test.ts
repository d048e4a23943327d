/** A log that cannot take entries: who is told, and what goes on. */
import { CloseCode } from '@chat/protocol';
import { expect, it } from 'vitest';
import type { LogCondition } from '../src/log/event-log.js';
import { createMemoryLog } from '../src/log/memory-log.js';
import { createChatServer } from '../src/server/chat-server.js';
import { LogLines } from './support/log-lines.js';
import { tcpPipe } from './support/socket-pipe.js';
import { WireClient } from './support/wire-client.js';

/** A log in the heap whose condition the test decides about. */
class MoodyLog {
  readonly #log = createMemoryLog();
  readonly epoch = this.#log.epoch;
  condition: LogCondition = { state: 'open' };
  onCondition: ((condition: LogCondition) => void) | undefined;
  open = this.#log.open.bind(this.#log);
  append = this.#log.append.bind(this.#log);
  close = this.#log.close.bind(this.#log);

  become(condition: LogCondition): void {
    this.condition = condition;
    this.onCondition?.(condition);
  }
}

async function serve() {
  const log = new MoodyLog();
  const lines = new LogLines();
  const server = createChatServer({ log, logger: lines });
  const { port } = await server.listen({ port: 0, host: '127.0.0.1' });
  const ready = async (): Promise<readonly [number, string]> => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    return [response.status, await response.text()];
  };
  const client = new WireClient(tcpPipe({ port, host: '127.0.0.1' }));
  await client.enter({ name: 'ada' });
  return { log, lines, server, ready, client };
}

it('a full log is told to operators and balancers, and members stay', async () => {
  const { log, lines, server, ready, client } = await serve();
  expect(await ready()).toEqual([200, 'ready\n']);
  log.become({ state: 'full', reason: 'no space left' });
  expect(await ready()).toEqual([503, 'the log is full: no space left\n']);
  expect(lines.at('error')).toHaveLength(1);
  await client.join('lobby');
  log.become({ state: 'open' });
  expect(await ready()).toEqual([200, 'ready\n']);
  await server.close();
});

it('when the log has failed, nobody waits for an answer that nobody can give', async () => {
  const { log, server, ready, client } = await serve();
  log.become({ state: 'failed', reason: 'the disk is gone' });
  expect((await client.closed)?.code).toBe(CloseCode.Internal);
  expect((await ready())[0]).toBe(503);
  await server.close();
});
