/**
 * One port for an application of Express and for the chat: its pages, its API, `/ws`, and the other dialects.
 *
 *     npm run example -- 8080
 */
import { createChatServer } from '@chat/server';
import express from 'express';

const app = express();
const chat = createChatServer({ http: { handler: app } });

app.get('/', (_request, response) => response.send('<h1>My application</h1>'));
app.get('/members', (_request, response) => response.json(chat.sessions().map(({ name }) => name)));
app.delete('/members/:name', (request, response) => {
  response.sendStatus(chat.kick(request.params.name, 'by an operator') ? 204 : 404);
});

const { port } = await chat.listen({ port: Number(process.argv[2] ?? 8080) });
console.log(`http://localhost:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => chat.drain());
