#!/usr/bin/env node
/**
 * Uses the packages as strangers would: packed, installed into empty projects, with what people use beside them.
 * Needs them built, and a registry for the rest.
 *
 *     npm run check:packed                       all rows
 *     npm run check:packed -- --only webpack     those whose name has this in it
 *     npm run check:packed -- --write            writes docs/compatibility.md, if all pass
 *     npm run check:packed -- --keep             leaves the projects for a look into them
 *     node scripts/packed/main.mjs --table       says what that page has to be, and tries nothing
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SERVER } from './programs.mjs';
import { Project } from './project.mjs';
import { ROOT, serveTarballs } from './registry.mjs';
import { GROUPS } from './rows/all.mjs';
import { cleanEnvironment } from './run.mjs';
import { tableOf } from './table.mjs';
import { Toolbox } from './tools.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    write: { type: 'boolean' },
    keep: { type: 'boolean' },
    table: { type: 'boolean' },
  },
});
if (values.table) {
  process.stdout.write(tableOf(GROUPS));
  process.exit();
}
const wanted = (what) => what.toLowerCase().includes((values.only ?? '').toLowerCase());
const rows = GROUPS.flatMap((group) => group.rows).filter(({ what }) => wanted(what));
const waiting = [...rows];

const folder = mkdtempSync(join(tmpdir(), 'chat-packed-'));
const registry = await serveTarballs(join(folder, 'tarballs'));
const tools = new Toolbox(join(folder, 'tools'));
const server = await startServer();
let failed = 0;
try {
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
} finally {
  server.stop();
  registry.close();
  if (values.keep) console.log(`left in ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
console.log(`${rows.length} rows tried, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
else if (values.write && values.only === undefined) {
  writeFileSync(join(ROOT, 'docs/compatibility.md'), tableOf(GROUPS));
}

/** Takes one row after another until none is left. */
async function work() {
  for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
    const room = row.what.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    const project = new Project(join(folder, room), registry);
    const startedAt = Date.now();
    let outcome = 'ok';
    try {
      await row.run({ project, tools, registry, server, room });
    } catch (error) {
      outcome = `FAILED\n${error.message}`;
      failed++;
    }
    console.log(`${row.what}: ${Math.round((Date.now() - startedAt) / 1000)} s, ${outcome}`);
    if (!values.keep) rmSync(project.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The packed server, which pages talk to. */
async function startServer() {
  const project = new Project(join(folder, 'server'), registry);
  await project.install([], { ours: ['@chat/server'] });
  project.write({ 'server.mjs': SERVER });
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: project.folder,
    env: cleanEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [url] = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').once('data', (text) => resolve(text.split('\n')));
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
  });
  return { url, stop: () => child.stdin.end() };
}
