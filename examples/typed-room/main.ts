/**
 * A room whose messages have a schema. A wrong one does not compile, is not sent, is refused by the server, and would be
 * an `unreadable` event for a reader.
 *
 *     npm run example
 */
import { ClientError, connect } from '@chat/client';
import { CodecTag } from '@chat/protocol';
import { createChatServer } from '@chat/server';
import { Move, moveCodec } from './moves.js';

const server = createChatServer({
  hooks: {
    // Clients of others may not keep to the schema: the server looks, too.
    onMessage: ({ room, codec, body }) => {
      if (room !== 'chess') return undefined;
      const isMove =
        codec === CodecTag.Json && Move.safeParse(JSON.parse(new TextDecoder().decode(body))).success;
      return isMove ? undefined : { reject: 'not a move' };
    },
  },
});
const { port } = await server.listen({ host: '127.0.0.1', port: 0 });

const ada = await connect(`tcp://127.0.0.1:${port}`, { name: 'ada' });
const bob = await connect(`tcp://127.0.0.1:${port}`, { name: 'bob' });
const black = await bob.join('chess', { codec: moveCodec });
const white = await ada.join('chess', { codec: moveCodec });
const moves = black.messages();

await white.send({ from: 'e2', to: 'e4' });
for await (const { sender, value } of moves) {
  console.log(`${sender.name}: ${value.from} to ${value.to}`); // typed: value.form does not compile
  break;
}
await white
  .send({ from: 'e2', to: 'e9' })
  .catch((error: unknown) => console.log(`not sent: ${codeOf(error)}`));

const eve = await connect(`tcp://127.0.0.1:${port}`, { name: 'eve' });
const other = await eve.join('chess'); // text, and no schema
await other.send('e4').catch((error: unknown) => console.log(`refused: ${codeOf(error)}`));

await Promise.all([ada.close(), bob.close(), eve.close()]);
await server.close();

function codeOf(error: unknown): string {
  return ClientError.is(error) ? error.code : (error as { code: string }).code;
}
