/**
 * Two processes that talk through shared memory: each message is in a ring of the channel, and no socket is on its
 * way. Started without an argument, this program starts both.
 *
 *     npm run example
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openChannel, textCodec } from '@chat/shm';

const NAME = process.env.CHAT_CHANNEL ?? 'ping-pong';
const file = new URL(import.meta.url);

if (process.argv[2] === undefined) {
  const both = ['a', 'b'].map((side) => fork(file, [side]));
  await Promise.all(both.map((child) => once(child, 'exit')));
} else if (process.argv[2] === 'a') {
  const channel = openChannel(NAME, { side: 'a', codec: textCodec, keepAlive: true });
  for (const word of ['one', 'two', 'three']) {
    await channel.send(word);
    console.log(`${word} -> ${await channel.receive()}`);
  }
  await channel.send('bye');
  channel.closeAndRemoveIfLast();
} else {
  const channel = openChannel(NAME, { side: 'b', codec: textCodec, keepAlive: true });
  for await (const word of channel) {
    if (word === 'bye') break;
    await channel.send(word.toUpperCase());
  }
  channel.closeAndRemoveIfLast(); // the last one out removes the memory
}
