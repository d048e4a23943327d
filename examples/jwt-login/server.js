/**
 * Accounts: `POST /login` gives a signed token, and the chat lets in who brings one. A token is good for a minute.
 * Then the connection is closed, the client comes back with a new one, and nothing is lost.
 *
 *     npm run example -- 8080
 */

import { json } from 'node:stream/consumers';
import { createChatServer } from '@chat/server';
import { jwtVerify, SignJWT } from 'jose';

const TOKEN_SECONDS = Number(process.env.TOKEN_SECONDS ?? 60);
const key = crypto.getRandomValues(new Uint8Array(32)); // of a store that you keep, in earnest
const passwords = new Map([
  ['ada', 'lovelace'],
  ['bob', 'builder'],
]);

async function login(request, response) {
  const { name, password } = /** @type {Record<string, string>} */ (await json(request));
  if (!passwords.has(name) || passwords.get(name) !== password) {
    response.writeHead(401).end();
    return;
  }
  const token = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(name);
  response.end(await token.setExpirationTime(`${TOKEN_SECONDS} seconds`).sign(key));
}

const chat = createChatServer({
  http: {
    handler: (request, response) => {
      if (request.method === 'POST' && request.url === '/login') {
        login(request, response).catch(() => response.writeHead(400).end());
      } else response.writeHead(404).end();
    },
  },
  hooks: {
    authenticate: async (credentials) => {
      try {
        const { payload } = await jwtVerify(String(credentials), key);
        // The token decides the name, so nobody can take that of another.
        return { ok: true, name: payload.sub, expiresInMs: payload.exp * 1000 - Date.now() };
      } catch {
        return { ok: false, reason: 'the token is not valid' };
      }
    },
  },
});

const { port } = await chat.listen({ port: Number(process.argv[2] ?? 8080) });
console.log(`http://localhost:${port}`);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => chat.drain());
