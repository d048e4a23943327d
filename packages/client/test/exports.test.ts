/** Every name that the package gives, types included: the shorter the list, the less a user has to know. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Names that a module exports, from itself and from others. */
function exportedBy(module: string): string[] {
  const code = readFileSync(new URL(`../src/${module}`, import.meta.url), 'utf8').replace(
    /\/\*[\s\S]*?\*\//g,
    '',
  );
  const lists = [...code.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list!.split(','));
  const own = [...code.matchAll(/^export (?:async )?(?:function|class|const|interface|type) (\w+)/gm)];
  const names = [...lists.map((name) => name.trim().replace(/^type /, '')), ...own.map(([, name]) => name!)];
  return names.filter((name) => name !== '').sort();
}

const BOTH = [
  'ChatClient',
  'ClientError',
  'ClientErrorCode',
  'ClientEvents',
  'ClientIdentity',
  'ClientState',
  'Clock',
  'ConnectOptions',
  'DirectMessage',
  'EntryInfo',
  'Gap',
  'HistoryOptions',
  'HistoryPage',
  'IdentityStore',
  'JoinOptions',
  'ListenOptions',
  'Member',
  'Message',
  'Notice',
  'OpenTransport',
  'ReadMark',
  'ReconnectOptions',
  'Room',
  'RoomAbout',
  'RoomEntry',
  'RoomEvents',
  'RoomsOptions',
  'RoomsPage',
  'SearchHit',
  'SearchOptions',
  'SearchPage',
  'Sent',
  'SentDirect',
  'Signal',
  'Stream',
  'StreamOptions',
  'TlsOptions',
  'Transport',
  'TransportSink',
  'UnreadableMessage',
  'UpgradeHeaders',
  'tabIdentity',
];

describe('the package', () => {
  it('gives these names in Node and in the browser', () => {
    expect(exportedBy('exports.ts')).toEqual(BOTH);
    expect(exportedBy('browser.ts')).toEqual(['connect', 'createChatClient']);
    expect(exportedBy('index.ts')).toEqual(['connect', 'createChatClient', 'fileIdentity']);
  });

  it('gives these names for user interfaces', () => {
    expect(exportedBy('timeline/index.ts')).toEqual([
      'ACTION_PREFIX',
      'Aim',
      'Answering',
      'COMMANDS',
      'Command',
      'CommandHelp',
      'DirectSource',
      'GapItem',
      'LocalItem',
      'MODERATION_COMMANDS',
      'MessageItem',
      'ModerationCommand',
      'NoticeItem',
      'OutgoingItem',
      'REACTIONS',
      'REACTIONS_FEATURE',
      'READS_FEATURE',
      'RICH_FEATURE',
      'ROLES',
      'RecentMessages',
      'Said',
      'Timeline',
      'TimelineEntry',
      'TimelineItem',
      'TimelineOptions',
      'TimelineSnapshot',
      'TimelineSource',
      'UnreadableItem',
      'Vocabulary',
      'WithdrawnItem',
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
});
