/**
 * Answers !time and !echo in the lobby. May be started before the server, and outlives its restarts. Its identity is in
 * a file beside it: killed and started again, it has its name back at once.
 *
 *     npm run example -- tcp://localhost:12345
 */
import { connect, fileIdentity } from '@chat/client';

const [url = 'tcp://localhost:12345'] = process.argv.slice(2);

/** Each answers a message that begins with its name; what it returns is said. */
const commands = {
  '!time': () => new Date().toISOString(),
  '!echo': (words) => words.join(' '),
  '!help': () => Object.keys(commands).join(' '),
};

const client = await connect(url, {
  name: 'bot',
  identity: fileIdentity(new URL('bot.identity', import.meta.url)), // who has this file is the bot
  reconnect: { initial: true },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => client.close());
client.on('state', ({ status }) => console.log(status));

const lobby = await client.join('lobby', { echo: false }); // without what it says itself
console.log('ready');
for await (const { sender, value, history } of lobby.messages()) {
  const [name, ...words] = value.split(' ');
  if (history || !Object.hasOwn(commands, name)) continue;
  // Not awaited: the next question need not wait. A refusal (too fast, say) has a code, and ends nothing.
  lobby.send(`${sender.name}: ${commands[name](words)}`).catch((error) => console.error(error.code));
}
