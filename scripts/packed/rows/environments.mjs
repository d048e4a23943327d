/** Test runners with a page that is not there, and a framework that renders on both sides. */
import { spawn } from 'node:child_process';
import { web } from '../programs.mjs';
import { cleanEnvironment, endGroup } from '../run.mjs';
import { NEWEST_NODE, VERSIONS } from '../versions.mjs';

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
  how: 'a component of the server that talks, one of the client, and `@chat/client/react`; `next build`, `next start`',
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
        import { Lobby } from './lobby.js';
        import { Button } from './button.js';
        export const dynamic = 'force-dynamic';
        export default async function Page() {
          return <main><p>{await chat()}</p><Button /><Lobby /></main>;
        }`,
      'app/lobby.js': `'use client';
        import { ChatProvider, useConnection, useRoom } from '@chat/client/react';
        function State() {
          return <i>{useConnection().status + ' ' + useRoom('lobby').status}</i>;
        }
        export function Lobby() {
          return <ChatProvider url="${server.url}" options={{ name: 'guest' }}><State /></ChatProvider>;
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
    for (const part of [`${room}: hello`, 'idle joining']) if (!said.includes(part)) throw new Error(said);
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

/** A page of Vite that uses the hooks, in a jsdom that its program makes around it. */
const reacts = [VERSIONS.react18, VERSIONS.react].map((version) => ({
  what: `React ${version}`,
  how: '`@chat/client/react` in a page that Vite has built, in strict mode',
  run: async ({ project, tools, server, room }) => {
    const others = [`vite@${VERSIONS.vite}`, `jsdom@${VERSIONS.jsdom}`];
    await project.install([`react@${version}`, `react-dom@${version}`, ...others]);
    project.write({
      'index.html': '<!doctype html><script type="module" src="/page.jsx"></script>',
      'page.jsx': `import { ChatProvider, useMessages, useRoom } from '@chat/client/react';
        import { StrictMode, useEffect } from 'react';
        import { createRoot } from 'react-dom/client';
        function Lobby() {
          const lobby = useRoom('${room}');
          const { items, send } = useMessages(lobby);
          useEffect(() => { if (lobby.status === 'joined') send('hello'); }, [lobby.status, send]);
          return items.map((item) => item.kind === 'message' && item.sender.name + ': ' + item.value);
        }
        createRoot(document.querySelector('main')).render(
          <StrictMode>
            <ChatProvider url="${server.url}" options={{ name: '${room}' }}><Lobby /></ChatProvider>
          </StrictMode>,
        );`,
      'vite.config.js': `export default {
        esbuild: { jsx: 'automatic' },
        oxc: { jsx: { runtime: 'automatic' } },
        build: { outDir: 'out', modulePreload: false, rollupOptions: { output: { entryFileNames: 'page.mjs' } } },
      };`,
      'browser.mjs': `import { JSDOM } from 'jsdom';
        const { window } = new JSDOM('<main></main>');
        Object.assign(globalThis, { window, document: window.document });
        const main = document.querySelector('main');
        new window.MutationObserver(() => {
          if (!main.textContent.includes('${room}: hello')) return;
          console.log(main.textContent);
          process.exit();
        }).observe(main, { childList: true, characterData: true, subtree: true });
        await import('./out/page.mjs');`,
    });
    await project.bin('vite/bin/vite.js', ['build', '--logLevel=error']);
    await project.run(await tools.node(NEWEST_NODE), ['browser.mjs'], { timeoutMs: 30_000 });
  },
}));

export const environments = [jest, vitest, ...reacts, next];
