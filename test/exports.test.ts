/** What the packages give to their users, by name. What `@chat/protocol` exports is pinned beside its own tests. */
import { expect, it } from 'vitest';

const names = (api: object): string[] => Object.keys(api).sort();

it('@chat/server exports exactly this', async () => {
  expect(names(await import('@chat/server'))).toEqual([
    'ChatServer',
    'ServerError',
    'ServerErrorCode',
    'UNLIMITED',
    'createChatServer',
    'createMemoryLog',
    'systemClock',
  ]);
});

it('@chat/client exports exactly this, for Node and for the browser', async () => {
  const both = ['ClientError', 'ClientErrorCode', 'connect', 'createChatClient', 'tabIdentity'];
  expect(names(await import('@chat/client'))).toEqual([...both, 'fileIdentity'].sort());
  expect(names(await import('../packages/client/src/browser.js'))).toEqual(both);
});

it('@chat/client/timeline exports exactly this', async () => {
  expect(names(await import('@chat/client/timeline'))).toEqual(['Timeline', 'createTimeline']);
});

it('@chat/shm exports exactly this', async () => {
  expect(names(await import('@chat/shm'))).toEqual([
    'SegmentKind',
    'ShmError',
    'ShmErrorCode',
    'cleanup',
    'cloneCodec',
    'connect',
    'duplexOf',
    'inspect',
    'jsonCodec',
    'listSegments',
    'listen',
    'openChannel',
    'openLatest',
    'openLog',
    'openMutex',
    'openQueue',
    'openRing',
    'openSegment',
    'requestsOver',
    'schemaCodec',
    'textCodec',
    'unlink',
  ]);
});
