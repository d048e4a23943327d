/** Test runners with a page that is not there, and a framework that renders on both sides. */
import { spawn } from 'node:child_process';
import { web } from '../programs.mjs';
import { cleanEnvironment, endGroup } from '../run.mjs';
import { VERSIONS } from '../versions.mjs';

const jsdomTest = (room) => `
  test('talks', async () => {
    expect(typeof document).toBe('object');
    expect(await chat()).toBe('${room}: hello');
  });
`;

// This jsdom has neither.
const SETUP =
  "Object.assign(globalThis, (({ TextEncoder, TextDecoder }) => ({ TextEncoder, TextDecoder }))(require('node:util')));";

const jest = {
  what: `Jest ${VERSIONS.jest} with jsdom`,
  how: 'a test that talks to a server, CommonJS; a setup file adds `TextEncoder` and `TextDecoder`',
  run: async ({ project, server, room }) => {
    await project.install([`jest@${VERSIONS.jest}`, `jest-environment-jsdom@${VERSIONS.jest}`]);
    const code = web(server.url, room)
      .replace(/import (\{.*?\}) from ('.*?')/g, 'const $1 = require($2)')
      .replace('export async', 'async');
    const config = {
      name: 'user',
      private: true,
      jest: { testEnvironment: 'jsdom', transform: {}, setupFiles: ['./setup.js'] },
    };
    project.write({
      'package.json': JSON.stringify(config),
      'setup.js': SETUP,
      'chat.test.js': code + jsdomTest(room),
    });
    await project.bin('jest/bin/jest.js', ['--watchman=false']);
  },
};

const vitest = {
  what: `Vitest ${VERSIONS.vitest} with jsdom`,
  how: 'a test that talks to a server',
  run: async ({ project, server, room }) => {
    await project.install([`vitest@${VERSIONS.vitest}`, `jsdom@${VERSIONS.jsdom}`]);
    project.write({
      'chat.js': web(server.url, room),
      'chat.test.js': `import { expect, test } from 'vitest';\nimport { chat } from './chat.js';\n${jsdomTest(room)}`,
    });
    await project.bin('vitest/vitest.mjs', ['run', '--environment=jsdom']);
  },
};

const next = {
  what: `Next.js ${VERSIONS.next}`,
  how: 'a component of the server that talks, and one of the client; `next build`, `next start`',
  run: async ({ project, server, room }) => {
    await project.install([
      `next@${VERSIONS.next}`,
      `react@${VERSIONS.react}`,
      `react-dom@${VERSIONS.react}`,
    ]);
    project.write({
      'chat.js': web(server.url, room),
      'app/layout.js': 'export default ({ children }) => <html lang="en"><body>{children}</body></html>;\n',
      'app/page.js': `import { chat } from '../chat.js';
        import { Button } from './button.js';
        export const dynamic = 'force-dynamic';
        export default async function Page() {
          return <main><p>{await chat()}</p><Button /></main>;
        }`,
      'app/button.js': `'use client';
        import { useState } from 'react';
        import { chat } from '../chat.js';
        export function Button() {
          const [said, setSaid] = useState('nothing');
          return <button onClick={async () => setSaid(await chat())}>{said}</button>;
        }`,
    });
    const env = { NEXT_TELEMETRY_DISABLED: '1' };
    await project.bin('next/dist/bin/next', ['build'], { timeoutMs: 300_000, env });
    const said = await served(project, env);
    if (!said.includes(`${room}: hello`)) throw new Error(said);
  },
};

/** Starts what was built, and asks for its page. */
async function served(project, env) {
  const args = ['node_modules/next/dist/bin/next', 'start', '--port', '0', '--hostname', '127.0.0.1'];
  const child = spawn(process.execPath, args, {
    cwd: project.folder,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: process.platform !== 'win32',
  });
  try {
    let printed = '';
    for await (const chunk of child.stdout) {
      printed += chunk;
      const [address] = printed.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/) ?? [];
      if (address && /ready/i.test(printed)) {
        const response = await fetch(address, { signal: AbortSignal.timeout(60_000) });
        return await response.text();
      }
    }
    throw new Error(printed);
  } finally {
    endGroup(child);
  }
}

export const environments = [jest, vitest, next];
