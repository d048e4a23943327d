/** What the packages give to their users, by name. */
import { expect, it } from 'vitest';

const names = (api: object): string[] => Object.keys(api).sort();

it('@chat/protocol exports exactly this', async () => {
  expect(names(await import('@chat/protocol'))).toEqual([
    'CLOSE_CODE_OF_ERROR',
    'CloseCode',
    'CodecTag',
    'DEFAULT_PORT',
    'FailureCode',
    'FrameDecoder',
    'FrameType',
    'LOBBY',
    'MAX_NAME_BYTES',
    'NoticeKind',
    'ProtocolError',
    'ProtocolErrorCode',
    'WEBSOCKET_PATH',
    'WEBSOCKET_SUBPROTOCOL',
    'bytesCodec',
    'closeCodeInfo',
    'decodeFrame',
    'encodeFrame',
    'encodeHello',
    'encodePreface',
    'encodePublish',
    'encodeRequest',
    'jsonCodec',
    'nameKey',
    'roomKey',
    'roomNameProblem',
    'textCodec',
    'userNameProblem',
    'withSchema',
  ]);
  expect(names(await import('@chat/protocol/msgpack'))).toEqual(['msgpackCodec']);
});

it('@chat/protocol/frames exports exactly this', async () => {
  expect(names(await import('@chat/protocol/frames'))).toEqual([
    'ACK_BYTES',
    'CALL_HEADER_BYTES',
    'CODEC_OFFSET',
    'DEFAULT_MAX_FRAME_BYTES',
    'ENTRY_DEVICE_OFFSET',
    'ENTRY_HEADER_BYTES',
    'ENTRY_PREV_OFFSET',
    'ENTRY_ROOM_OFFSET',
    'ENTRY_SENDER_OFFSET',
    'ENTRY_SEQ_OFFSET',
    'FIRST_SKIPPABLE_TYPE',
    'FrameDecoder',
    'FrameSplitter',
    'FrameType',
    'HEADER_BYTES',
    'MAX_MAX_FRAME_BYTES',
    'MAX_QUERY_BYTES',
    'MIN_MAX_FRAME_BYTES',
    'NAME_BYTES_OFFSET',
    'NOTICE_KIND_OFFSET',
    'NoticeKind',
    'PREFACE_BYTES',
    'PREFACE_FIRST_BYTE',
    'PROTOCOL_VERSION',
    'PUBLISH_HEADER_BYTES',
    'PUBLISH_ID_OFFSET',
    'PUBLISH_ROOM_OFFSET',
    'TYPE_OFFSET',
    'assertMaxFrameBytes',
    'decodeFrame',
    'decodePreface',
    'encodeClose',
    'encodeDirect',
    'encodeFrame',
    'encodeHello',
    'encodePing',
    'encodePong',
    'encodePreface',
    'encodePublish',
    'encodeRequest',
    'encodeSent',
    'encodeSignal',
    'entryBytes',
    'readEntryHeader',
    'readFrames',
    'readSent',
    'readServerFrame',
    'readU32',
    'readU48',
    'writeAck',
    'writeEntry',
  ]);
});

it('@chat/protocol/lines and @chat/protocol/check export exactly this', async () => {
  expect(names(await import('@chat/protocol/lines'))).toEqual([
    'DEFAULT_MAX_LINES_PER_MESSAGE',
    'DEFAULT_MAX_LINE_BYTES',
    'LineDecoder',
    'TIMING_MARK_ANSWER',
    'formatMessageLines',
    'formatNoticeLine',
    'isQuitLine',
    'parsePasswordLine',
    'parseUserNameLine',
    'printable',
  ]);
  expect(names(await import('@chat/protocol/check'))).toEqual([
    'asAnything',
    'asArray',
    'asBoolean',
    'asCount',
    'asInteger',
    'asNumber',
    'asObject',
    'asOptional',
    'asPosition',
    'asString',
    'assertType',
    'optionProblem',
  ]);
});

it('@chat/server exports exactly this', async () => {
  expect(names(await import('@chat/server'))).toEqual([
    'BlockLog',
    'ChatServer',
    'LEAST_ROLE',
    'LIMITS',
    'ServerError',
    'ServerErrorCode',
    'UNLIMITED',
    'createBlockLog',
    'createChatServer',
    'createMemoryLog',
    'listenOnSocket',
    'looks',
    'systemClock',
    'userNameProblem',
  ]);
});

it('@chat/server/sqlite exports exactly this', async () => {
  expect(names(await import('@chat/server/sqlite'))).toEqual([
    'BlockStore',
    'SqliteLog',
    'SqliteStore',
    'StoreView',
    'backupStore',
    'checkStore',
    'exportStore',
    'forgetStored',
    'importStore',
    'openBlockStore',
    'openSqliteLog',
    'openStoreView',
  ]);
});

it('@chat/server/nats exports exactly this', async () => {
  expect(names(await import('@chat/server/nats'))).toEqual(['openNatsLog', 'openNatsRelay']);
});

it('@chat/client exports exactly this, for Node and for the browser', async () => {
  const both = ['ClientError', 'ClientErrorCode', 'connect', 'createChatClient', 'tabIdentity'];
  expect(names(await import('@chat/client'))).toEqual([...both, 'fileIdentity'].sort());
  expect(names(await import('../packages/client/src/browser.js'))).toEqual(both);
});

it('@chat/client/timeline exports exactly this', async () => {
  expect(names(await import('@chat/client/timeline'))).toEqual([
    'ACTION_PREFIX',
    'COMMANDS',
    'MODERATION_COMMANDS',
    'REACTIONS',
    'REACTIONS_FEATURE',
    'READS_FEATURE',
    'RICH_FEATURE',
    'ROLES',
    'RecentMessages',
    'Timeline',
    'carryOutModeration',
    'changeText',
    'completionsFor',
    'createTimeline',
    'isAmong',
    'mentionsIn',
    'parseCommand',
    'readRich',
    'withdrawnBy',
  ]);
});

it('@chat/client/react exports exactly this', async () => {
  expect(names(await import('@chat/client/react'))).toEqual([
    'ChatProvider',
    'useChat',
    'useConnection',
    'useMembers',
    'useMessages',
    'useRoom',
    'useTyping',
  ]);
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
