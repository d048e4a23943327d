/**
 * The server as a task of `npm start`. What stands behind `npm start --` is for it alone, and turbo gives its own
 * arguments to every task: so they come by the environment.
 */
import { env } from 'node:process';

const given = env.CHAT_SERVER_ARGUMENTS;
// Worker processes inherit both, and are to have them once.
delete env.CHAT_SERVER_ARGUMENTS;
if (given) process.argv.push(...JSON.parse(given));
await import('./dist/main.js');
