/**
 * What `chat-shm` says to people. The numbers are those of `inspect()`, in the order in which one asks: what is it, who is there, how
 * far is everybody.
 */
import type {
  ChannelSideDetails,
  CleanupReport,
  LogReaderDetails,
  ParticipantInfo,
  SegmentReport,
  ShmErrorCode,
} from '../index.js';

/** A segment of a folder: what it is, or why that cannot be said. */
export type ListedSegment =
  | { readonly name: string; readonly report: SegmentReport }
  | { readonly name: string; readonly error: { readonly code: ShmErrorCode; readonly message: string } };

const INDENT = '  ';

/** The segments of a folder as a table, and below it what is wrong with those that could not be read. */
export function formatTable(segments: readonly ListedSegment[]): string {
  if (segments.length === 0) return 'no segments\n';
  const rows = segments.flatMap((one) => ('report' in one ? [rowOf(one.report)] : []));
  const wrong = segments.flatMap((one) =>
    'error' in one ? [`${one.name}: ${one.error.message} (${one.error.code})`] : [],
  );
  const table =
    rows.length === 0 ? [] : columns([['NAME', 'KIND', 'BYTES', 'PARTICIPANTS', 'LOCK'], ...rows]);
  return lines([...table, ...wrong]);
}

/** Everything about one segment. */
export function formatReport(report: SegmentReport): string {
  const { name, kind, layoutVersion, path, participants, maxParticipants } = report;
  const about = columns(
    [
      ['file', path],
      ['size', `${report.totalBytes} bytes, ${report.payloadBytes} of them payload`],
      [
        'created',
        `${time(report.createdAt)} by process ${report.creatorPid}, incarnation ${report.incarnation}`,
      ],
      ...(report.retired
        ? [['retired', 'the name was given up, and whoever opens it next gets another segment']]
        : []),
      ['lock', lockText(report.lock)],
      ...detailRows(report),
    ],
    INDENT,
  );
  const people =
    participants.length === 0
      ? []
      : columns(
          [['SLOT', 'PID', 'LIVENESS', 'ROLE', 'SINCE', ...readerTitles(report)], ...participantRows(report)],
          INDENT,
        );
  return lines([
    `${name}: ${kind}, layout ${layoutVersion}`,
    ...about,
    `${INDENT}participants: ${census(participants)}, of at most ${maxParticipants}`,
    ...people,
  ]);
}

/** What a cleanup did. */
export function formatCleanup({ leftovers, participants, removed }: CleanupReport): string {
  const done = [
    ...leftovers.map((file) => `removed ${file}, which a dead process left`),
    ...(participants > 0 ? [`freed ${participants} participant slots of the dead`] : []),
    ...removed.map((name) => `removed the segment ${name}, which nobody used`),
  ];
  return lines(done.length > 0 ? done : ['nothing to clean up']);
}

function rowOf({ name, kind, totalBytes, participants, lock, retired }: SegmentReport): string[] {
  return [retired ? `${name} (retired)` : name, kind, `${totalBytes}`, census(participants), lockText(lock)];
}

/** The positions of the structure, by kind. */
function detailRows({ details }: SegmentReport): string[][] {
  switch (details.kind) {
    case 'latest':
      return [
        [
          'version',
          `${details.version}, values of at most ${details.maxValueBytes} bytes in ${details.cells} cells`,
        ],
        ['writer', who(details.writer)],
      ];
    case 'ring':
      return [
        ['unread', unread(details.unreadBytes, details.capacityBytes)],
        ['writer', who(details.writer)],
        ['reader', who(details.reader)],
      ];
    case 'channel':
      return (['a', 'b'] as const).map((side) => {
        const { unreadBytes } = details[side];
        return [
          `side ${side}`,
          `${sideText(details[side])}; of what it sent, ${unread(unreadBytes, details.capacityBytes)} is unread`,
        ];
      });
    case 'log': {
      const { entries, keptBytes, capacityBytes, writer } = details;
      const count = entries === undefined ? 'being appended to' : `${entries} entries so far`;
      return [
        ['entries', `${count}, ${unread(keptBytes, capacityBytes)} kept`],
        ['appending', who(writer)],
      ];
    }
    default:
      return [];
  }
}

function participantRows({ participants, details }: SegmentReport): string[][] {
  return participants.map((one) => {
    const { slot, pid, liveness, role, joinedAt } = one;
    const common = [`${slot}`, `${pid}`, liveness, role, joinedAt === 0 ? 'joining' : time(joinedAt)];
    if (details.kind !== 'log') return common;
    return [...common, ...readerColumns(details.participants.find((reader) => reader.slot === slot))];
  });
}

function readerTitles({ details }: SegmentReport): string[] {
  return details.kind === 'log' ? ['READS', 'LAG, BYTES', 'LOST', 'ASLEEP'] : [];
}

function readerColumns(reader: LogReaderDetails | undefined): string[] {
  if (reader === undefined) return [];
  const { reads, lagBytes, lostEntries, asleep } = reader;
  return [
    reads ?? '–',
    lagBytes === undefined ? '–' : `${lagBytes}`,
    `${lostEntries}`,
    asleep ? 'yes' : 'no',
  ];
}

/** How many live, how many do not: `2 alive, 1 dead`. */
function census(participants: readonly ParticipantInfo[]): string {
  const counts = (['alive', 'stopped', 'dead', 'unknown'] as const).flatMap((liveness) => {
    const count = participants.filter((one) => one.liveness === liveness).length;
    return count === 0 ? [] : [`${count} ${liveness}`];
  });
  return counts.join(', ') || 'none';
}

function lockText(lock: SegmentReport['lock']): string {
  if (lock.state === 'held')
    return lock.owner === undefined ? 'held by one who is gone' : `held by ${who(lock.owner)}`;
  return lock.state === 'free'
    ? 'free'
    : 'poisoned: its holder died, and nobody vouched for what it protects';
}

function sideText({ holder, left }: ChannelSideDetails): string {
  if (holder !== undefined) return who(holder);
  return left ? 'left' : 'nobody yet';
}

function who(participant: ParticipantInfo | undefined): string {
  return participant === undefined ? 'nobody' : `process ${participant.pid} (${participant.liveness})`;
}

function unread(bytes: number, capacityBytes: number): string {
  return `${bytes} of ${capacityBytes} bytes`;
}

function time(milliseconds: number): string {
  const date = new Date(milliseconds);
  // A damaged header may hold any number.
  return Number.isNaN(date.getTime()) ? `${milliseconds} ms` : date.toISOString();
}

/** Cells below each other, as wide as the widest. */
function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map(
    (row) =>
      indent +
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
  );
}

function lines(texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
