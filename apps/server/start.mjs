/**
 * The server as a task of `npm start`. What stands behind `npm start --` is for it alone, and turbo gives its own
 * arguments to every task: so they come by the environment. Paths among them begin where the user stands, whatever
 * folder npm and turbo start this in.
 */
import { env } from 'node:process';

const { CHAT_SERVER_ARGUMENTS: given, CHAT_SERVER_FOLDER: folder, INIT_CWD: folderOfNpm } = env;
// Worker processes inherit all of it, and are to have it once.
delete env.CHAT_SERVER_ARGUMENTS;
delete env.CHAT_SERVER_FOLDER;
if (given) process.argv.push(...JSON.parse(given));
const start = folder ?? folderOfNpm;
if (start) process.chdir(start);
await import('./dist/main.js');
