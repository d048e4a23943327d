/**
 * A server and clients in other processes: requests and answers, through shared memory alone. A client that is killed
 * leaves nothing behind, and a server that is killed is an error for those who wait.
 *
 *     npm run example
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, listen, requestsOver } from '@chat/shm';

const NAME = process.env.CHAT_SERVICE ?? 'squares';
const encode = (value) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

if (process.argv[2] === 'client') {
  const connection = await connect(NAME, { timeoutMs: 5000 });
  const server = requestsOver(connection);
  for (const number of process.argv.slice(3).map(Number)) {
    const answer = await server.request(encode({ number }), { timeoutMs: 5000 });
    console.log(`${number} squared is ${decode(answer).square}`);
  }
  connection.close();
} else {
  const server = listen(NAME);
  server.on('connection', (client) => {
    requestsOver(client, (question) => encode({ square: decode(question).number ** 2 }));
  });
  const clients = [
    ['2', '3'],
    ['4', '5'],
  ].map((numbers) => fork(new URL(import.meta.url), ['client', ...numbers]));
  await Promise.all(clients.map((client) => once(client, 'exit')));
  server.closeAndRemoveIfLast();
}
