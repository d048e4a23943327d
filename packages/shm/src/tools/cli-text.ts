/**
 * What `chat-shm` says to people: whatever was found, as rows of a name and a value, and lists as tables. So it shows what `inspect()` returns,
 * all of it, and what is added there is shown as well.
 */
import type { CleanupReport, ParticipantInfo, SegmentReport, ShmErrorCode } from '../index.js';

/** A segment of a folder: what it is, or why that cannot be said. */
export type ListedSegment =
  | { readonly name: string; readonly report: SegmentReport }
  | { readonly name: string; readonly error: { readonly code: ShmErrorCode; readonly message: string } };

const INDENT = '  ';

/** The segments of a folder as a table, and below it what is wrong with those that could not be read. */
export function formatTable(segments: readonly ListedSegment[]): string {
  if (segments.length === 0) return 'no segments\n';
  const rows = segments.flatMap((one) => {
    if ('error' in one) return [];
    const { name, kind, totalBytes, participants, lock, retired } = one.report;
    return [
      [retired ? `${name} (retired)` : name, kind, `${totalBytes}`, census(participants), lockText(lock)],
    ];
  });
  const wrong = segments.flatMap((one) =>
    'error' in one ? [`${one.name}: ${one.error.message} (${one.error.code})`] : [],
  );
  return lines([...titled(['NAME', 'KIND', 'BYTES', 'PARTICIPANTS', 'LOCK'], rows), ...wrong]);
}

/** Everything about one segment. */
export function formatReport(report: SegmentReport): string {
  const { name, kind, layoutVersion, details, participants, lock, createdAt, ...about } = report;
  const { kind: _, ...structure } = details;
  return lines([
    `${name}: ${kind}, layout ${layoutVersion}`,
    ...section({ created: time(createdAt), ...about, lock: lockText(lock), ...structure }),
    `${INDENT}participants: ${census(participants)}`,
    ...table(
      participants.map(({ identity, token, joinedAt, ...one }) => ({ ...one, since: time(joinedAt) })),
    ),
  ]);
}

/** What the participants did since the last look, each second. */
export function formatRates(rows: readonly Readonly<Record<string, unknown>>[]): string {
  return rows.length === 0 ? 'nobody takes part\n' : lines(table(rows, ''));
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

/** Names and values below each other, and below those the lists. */
function section(values: object, prefix = ''): string[] {
  const rows: string[][] = [];
  const lists: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    const title = prefix + words(name);
    if (Array.isArray(value)) {
      if (value.length > 0) lists.push(`${INDENT}${title}:`, ...table(value));
    } else if (isNested(value)) lists.push(...section(value, `${title} `));
    else rows.push([title, text(value)]);
  }
  return [...columns(rows, INDENT), ...lists];
}

function table(rows: readonly object[], indent = INDENT): string[] {
  if (rows.length === 0) return [];
  const flat = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([name, value]) =>
        isNested(value) ? Object.entries(value) : [[name, value]],
      ),
    ),
  );
  const names = Object.keys(flat[0] ?? {});
  return titled(
    names.map((name) => words(name).toUpperCase()),
    flat.map((row) => names.map((name) => text(row[name]))),
    indent,
  );
}

function titled(titles: readonly string[], rows: readonly (readonly string[])[], indent = ''): string[] {
  return rows.length === 0 ? [] : columns([titles, ...rows], indent);
}

function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isParticipant(value);
}

function isParticipant(value: object): value is ParticipantInfo {
  return 'pid' in value && 'liveness' in value;
}

function text(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' && value !== null && isParticipant(value) ? who(value) : String(value);
}

/** `unreadBytes` is `unread bytes`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
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
  if (lock.state !== 'held') return lock.state;
  return lock.owner === undefined ? 'held by one who is gone' : `held by ${who(lock.owner)}`;
}

function who({ pid, liveness }: ParticipantInfo): string {
  return `process ${pid} (${liveness})`;
}

function time(milliseconds: number): string {
  if (milliseconds === 0) return 'joining';
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
