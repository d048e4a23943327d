/** TypeScript: strict projects that check declarations too, in each way to resolve modules. */
import { TYPES_OF_NODE, TYPESCRIPTS } from '../versions.mjs';

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: false,
  target: 'ES2022',
};

const WEB = `
  import { type ChatClient, ClientError, connect, type Room } from '@chat/client';
  import { createTimeline, type Timeline } from '@chat/client/timeline';
  import { type Codec, jsonCodec } from '@chat/protocol';
  import { asObject, asString, type Check } from '@chat/protocol/check';
  import { encodePing } from '@chat/protocol/frames';
  import { msgpackCodec } from '@chat/protocol/msgpack';

  export const codec: Codec<unknown> = jsonCodec;
  export const check: Check<{ text: string }> = asObject<{ text: string }>({ text: asString });
  export const ping: Uint8Array = encodePing(1);
  export const tag: number = msgpackCodec.tag;

  export async function first(url: string): Promise<string | undefined> {
    await using client: ChatClient = await connect(url, { name: 'ada' });
    const room: Room<string> = await client.join('lobby');
    const timeline: Timeline<string> = createTimeline(room);
    timeline.close();
    try {
      for await (const { value } of room.messages()) return value.toUpperCase();
    } catch (error) {
      if (ClientError.is(error)) return error.code;
    }
    return undefined;
  }
`;

const NODE = `
  import { fileIdentity } from '@chat/client';
  import { type ChatServer, type ChatServerOptions, createChatServer } from '@chat/server';
  import { openNatsLog } from '@chat/server/nats';
  import { openSqliteLog } from '@chat/server/sqlite';
  import { openChannel } from '@chat/shm';

  const options: ChatServerOptions = { http: { allowedOrigins: [] } };
  export const server: ChatServer = createChatServer(options);
  export async function listen(): Promise<number> {
    const { port } = await server.listen({ port: 0 });
    return port;
  }
  export { fileIdentity, openChannel, openNatsLog, openSqliteLog };
`;

/** Each way: files, options, and the versions that have it. */
const WAYS = [
  {
    name: 'NodeNext, ESM and CommonJS',
    files: { 'a.mts': WEB, 'b.mts': NODE, 'c.cts': WEB, 'd.cts': NODE },
    options: { module: 'NodeNext', lib: ['ES2022', 'DOM'], types: ['node'] },
  },
  {
    name: 'Bundler, no types of Node',
    files: { 'web.ts': WEB },
    options: { module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2022', 'DOM'], types: [] },
  },
  {
    name: 'Bundler as a browser',
    files: { 'browser.ts': WEB },
    options: {
      module: 'ESNext',
      moduleResolution: 'Bundler',
      customConditions: ['browser'],
      lib: ['ES2022', 'DOM'],
      types: [],
    },
  },
  {
    name: 'node10',
    until: 6,
    files: { 'old.ts': WEB, 'old-node.ts': NODE },
    options: { module: 'CommonJS', moduleResolution: 'node10', lib: ['ES2022', 'DOM'], types: ['node'] },
  },
];

export const compilers = TYPESCRIPTS.map((version) => {
  const major = Number.parseInt(version, 10);
  const ways = WAYS.filter(({ until = Infinity }) => major <= until);
  return {
    what: `TypeScript ${version}`,
    how: `${ways.map(({ name }) => name).join('; ')}; strict, \`skipLibCheck: false\`, \`lib: ["ES2022", "DOM"]\``,
    run: async ({ project }) => {
      await project.install([`typescript@${version}`, `@types/node@${TYPES_OF_NODE}`]);
      for (const { name, files, options } of ways) {
        // TypeScript 6 has the old ways only where one insists.
        const insisting = major === 6 && name === 'node10' ? { ignoreDeprecations: '6.0' } : {};
        const compilerOptions = { ...STRICT, ...options, ...insisting };
        project.write({
          ...files,
          'tsconfig.json': JSON.stringify({ compilerOptions, files: Object.keys(files) }),
        });
        await project.bin('typescript/bin/tsc', ['-p', '.']).catch((error) => {
          throw new Error(`${name}: ${error.message}`);
        });
      }
    },
  };
});
