/**
 * One port for an application of Fastify and for the chat: its routes, `/ws`, and the other dialects.
 *
 *     npm run example -- 8080
 */
import { createChatServer } from '@chat/server';
import Fastify from 'fastify';

const app = Fastify();
await app.register(routes);
await app.ready(); // Fastify serves no port of its own: the chat hands its requests over
const chat = createChatServer({ http: { handler: app.routing } });

async function routes(scope) {
  scope.get('/members', () => chat.sessions().map(({ name }) => name));
  scope.get('/stats', () => chat.stats());
}

const { port } = await chat.listen({ port: Number(process.argv[2] ?? 8080) });
console.log(`http://localhost:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await chat.drain();
    await app.close();
  });
}
