/** Servers of two versions side by side, over one stream of a real server. */
import { connect } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { BlockWriter } from '../../src/log/block.js';
import { claim } from '../../src/log/claims.js';
import { CLAIM, type ClaimKind, type Draft, ClaimKind as Kinds } from '../../src/log/entry.js';
import { encodeBlock } from '../../src/log/shared/block-header.js';
import { openNatsLog } from '../../src/nats/index.js';
import { UNLIMITED } from '../../src/options/options.js';
import { draft } from '../support/event-log-contract.js';
import { MemoryChat } from '../support/memory-chat.js';
import { NatsProcess, newNats } from '../support/nats-process.js';
import { until } from '../support/turn.js';

it.skipIf(newNats === undefined)(
  'passes over what a newer version says, takes what an older one says, and all have one order',
  async () => {
    const nats = await NatsProcess.start(newNats!);
    const open = async (): Promise<MemoryChat> => {
      const log = await openNatsLog({ servers: nats.url });
      return await MemoryChat.open({ ...UNLIMITED, log });
    };
    const [newer, other] = [await open(), await open()];
    const ada = await newer.enter('ada');
    const bob = await other.enter('bob');
    const { handle } = await ada.join('lobby');
    await bob.join('lobby');
    await ada.say(handle, 'before');
    // Of the next version: kinds of claims and of entries that nobody here knows.
    newer.chat.log.append({ ...draft('lobby', 'new'), type: CLAIM, kind: 999 as ClaimKind, publishId: 0 });
    newer.chat.log.append({ ...draft('lobby', 'new'), type: 0x50 as typeof CLAIM, publishId: 0 });
    // Of the version before: nothing says how far it had read.
    const older = await connect({ servers: nats.url });
    const process = 4711;
    const say = (number: number, entry: Draft): void => {
      const writer = new BlockWriter();
      writer.add(entry, 1);
      const header = { origin: process, number, entries: 1 };
      older.publish('chat.blocks', encodeBlock(header, writer.take()!.bytes));
    };
    say(1, claim(Kinds.ProcessCame, { at: 1 }, undefined));
    say(2, draft('lobby', 'from an older one', { sender: 0, publishId: 0 }));
    await until(() => [ada, bob].every((one) => one.texts(handle).includes('from an older one')));
    await bob.say(handle, 'behind');
    await until(() => ada.texts(handle).includes('behind'));
    expect(ada.texts(handle)).toEqual(['before', 'from an older one', 'behind']);
    expect(bob.texts(handle)).toEqual(ada.texts(handle));
    const late = await open();
    const eve = await late.enter('eve');
    await eve.join('lobby', { history: 10 });
    expect(eve.texts(handle)).toEqual(ada.texts(handle));
    expect(ada.entries(handle).slice(-3)).toEqual(bob.entries(handle).slice(-3));
    for (const { chat } of [newer, other, late]) await chat.close();
    await older.close();
    await nats.remove();
  },
  60_000,
);
