#!/usr/bin/env node
// `npx chat-shm`: looks at segments and tidies up. See `chat-shm --help`, and src/tools/cli.ts.
import { runCli } from '../dist/tools/cli.js';

// Whoever reads the output may have seen enough: chat-shm list | head -1
process.stdout.on('error', () => {});
process.exitCode = await runCli(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
});
