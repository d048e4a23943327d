/** What the projects do with the packages. Each program prints what it got. */

const CHAT = `
  const server = createChatServer();
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  for (const url of ['tcp://127.0.0.1:' + port, 'ws://127.0.0.1:' + port]) {
    const ada = await connect(url, { name: 'ada' });
    const bob = await connect(url, { name: 'bob' });
    const room = await bob.join('lobby', { codec: msgpackCodec });
    const timeline = createTimeline(room);
    const messages = room.messages();
    await (await ada.join('lobby', { codec: msgpackCodec })).send({ text: 'hello' });
    for await (const message of messages) {
      console.log(message.sender.name + ': ' + message.value.text);
      break;
    }
    timeline.close();
    await Promise.all([ada.close(), bob.close()]);
  }
  await server.close();
`;

const SHARED = `
  const name = 'packed-' + process.pid;
  const segment = shm.openSegment(name, { payloadBytes: 64 });
  await segment.withLock(() => segment.payload.set([42]));
  const reader = shm.openSegment(name, { mode: 'open', access: 'read-only' });
  console.log('shared: ' + reader.payload[0]);
  reader.close();
  segment.closeAndRemoveIfLast();
`;

const IMPORTS = [
  ['{ createChatServer }', '@chat/server'],
  ['{ connect }', '@chat/client'],
  ['{ createTimeline }', '@chat/client/timeline'],
  ['{ msgpackCodec }', '@chat/protocol/msgpack'],
  ['{ encodePing }', '@chat/protocol/frames'],
  ['{ LineDecoder }', '@chat/protocol/lines'],
  ['{ asString }', '@chat/protocol/check'],
  ['{ openNatsLog }', '@chat/server/nats'],
  ['{ openSqliteLog }', '@chat/server/sqlite'],
];

/** All packages and subpaths in one program: a chat by TCP and by WebSocket; `shm` as well where it is built for. */
export function everything({ withShm = process.platform === 'linux' } = {}) {
  const imports = withShm ? [...IMPORTS, ['* as shm', '@chat/shm']] : IMPORTS;
  const uses =
    'if (![encodePing, LineDecoder, asString, openNatsLog, openSqliteLog].every(Boolean)) throw new Error();';
  const body = `${uses}\n${CHAT}\n${withShm ? SHARED : ''}`;
  const named = imports.map(([what, from]) => `import ${what} from '${from}';`).join('\n');
  const required = imports
    .map(([what, from]) => `const ${what.replace('* as ', '')} = require('${from}');`)
    .join('\n');
  const fails = '.catch((error) => { console.error(error); process.exit(1); })';
  return {
    files: { 'all.mjs': `${named}\n${body}`, 'all.cjs': `${required}\n(async () => {${body}})()${fails};` },
    prints: `ada: hello\nada: hello${withShm ? '\nshared: 42' : ''}`,
  };
}

/** A server for programs that run elsewhere. Prints its address, and ends with its standard input. */
export const SERVER = `
  import { createChatServer } from '@chat/server';
  const server = createChatServer({ http: { allowedOrigins: ['*'] } });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  console.log('ws://127.0.0.1:' + port);
  process.stdin.resume().on('end', () => server.close());
`;

/** For browsers, and what takes after them. The bundler puts the address in the place of CHAT_URL. */
export function web(url, room) {
  return `
    import { connect } from '@chat/client';
    import { createTimeline } from '@chat/client/timeline';
    import { jsonCodec } from '@chat/protocol';

    export async function chat() {
      const client = await connect('${url}', { name: '${room}' });
      const room = await client.join('${room}', { codec: jsonCodec });
      const timeline = createTimeline(room);
      const messages = room.messages();
      await timeline.send({ text: 'hello' });
      for await (const message of messages) {
        // A part of the client that is fetched when it is first needed.
        const { entries } = await room.history();
        if (entries.length === 0) throw new Error('no history');
        timeline.close();
        await client.close();
        return message.sender.name + ': ' + message.value.text;
      }
    }
  `;
}
