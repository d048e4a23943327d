/**
 * Logs in, and says what it reads from its standard input.
 *
 *     node client.js http://localhost:8080 ada lovelace
 */
import { createInterface } from 'node:readline';
import { connect } from '@chat/client';

const [url = 'http://localhost:8080', name = 'ada', password = 'lovelace'] = process.argv.slice(2);

/** Asked for each attempt to connect, so that no token is ever too old. */
async function credentials({ signal }) {
  const body = JSON.stringify({ name, password });
  const response = await fetch(new URL('/login', url), { method: 'POST', body, signal });
  if (!response.ok) throw new Error(`login: ${response.status}`);
  return response.text();
}

const client = await connect(url.replace(/^http/, 'ws'), { name, credentials });
client.on('state', ({ status }) => console.log(`* ${status}`));
const lobby = await client.join('lobby');
lobby.on('message', ({ sender, value }) => console.log(`${sender.name}: ${value}`));
console.log('* ready');
for await (const line of createInterface(process.stdin)) await lobby.send(line);
await client.close();
