/** What an opener, and one who only looks, do with whatever lies in the folder. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  readdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { openLatest } from '../../src/latest/latest.js';
import { openRing } from '../../src/ring/ring.js';
import { checkFileSystem, checkMemory, publishFile } from '../../src/segment/file.js';
import {
  PARTICIPANT_COUNT_WORD,
  PAYLOAD_BYTES_WORD,
  RETIRED_WORD,
  TOTAL_BYTES_WORD,
} from '../../src/segment/layout.js';
import { removeLeftovers, segmentPath } from '../../src/segment/path.js';
import { openSegment, type SegmentOptions, type SharedSegment } from '../../src/segment/shared-segment.js';
import { cleanup, inspect, listSegments } from '../../src/tools/inspect.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

describe('a segment that is being made', () => {
  it('is no leftover for others, as long as its maker lives', () => {
    const request = { path: segmentPath('new', place.directory), totalBytes: 4096, permissions: 0o600 };
    let found: readonly string[] = ['nobody looked'];
    const made = publishFile(request, () => {
      found = removeLeftovers(place.directory);
      return { release() {} };
    });
    made?.lock.close();
    expect(found).toEqual([]);
  });
});
const isRoot = process.getuid?.() === 0;

function open(options: SegmentOptions = {}): SharedSegment {
  return openSegment(place.name, { directory: place.directory, ...options });
}

function file(name = place.name): string {
  return join(place.directory, `${name}.cshm`);
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

describe('an opener', () => {
  it('does not wait for a pipe, nor does one who only looks', () => {
    execFileSync('mkfifo', [file()]);
    expect(() => open()).toThrow(code('ERR_SHM_FOREIGN'));
    expect(() => open({ access: 'read-only' })).toThrow(code('ERR_SHM_FOREIGN'));
    expect(() => inspect(place.name, { directory: place.directory })).toThrow(code('ERR_SHM_FOREIGN'));
    expect(cleanup({ directory: place.directory, removeAbandoned: true }).removed).toEqual([]);
    expect(listSegments({ directory: place.directory })).toEqual([place.name]);
  });

  it('does not follow a link, even to a good segment', () => {
    openSegment('target', { directory: place.directory }).close();
    symlinkSync(file('target'), file());
    expect(() => open()).toThrow(code('ERR_SHM_FOREIGN'));
    expect(() => inspect(place.name, { directory: place.directory })).toThrow(code('ERR_SHM_FOREIGN'));
  });

  it.runIf(isRoot)('refuses the file of another user, unless that user is named', () => {
    open({ payloadBytes: 64 }).close();
    chownSync(file(), 12_001, 12_001);
    expect(() => open()).toThrow(code('ERR_SHM_ACCESS'));
    expect(() => open()).toThrow(/belongs to user 12001, not to 0.*trustOwners/);
    expect(() => open({ access: 'read-only' })).toThrow(code('ERR_SHM_ACCESS'));
    open({ trustOwners: [12_001] }).close();
    expect(inspect(place.name, { directory: place.directory }).payloadBytes).toBe(64);
    expect(cleanup({ directory: place.directory, removeAbandoned: true }).removed).toEqual([]);
    expect(
      cleanup({ directory: place.directory, removeAbandoned: true, trustOwners: [12_001] }).removed,
    ).toEqual([place.name]);
  });

  it.runIf(isRoot)('takes the file of any user where every user is to write', () => {
    open({ payloadBytes: 64 }).close();
    chownSync(file(), 12_001, 12_001);
    expect(() => open({ permissions: 0o660 })).toThrow(code('ERR_SHM_ACCESS'));
    open({ permissions: 0o666 }).close();
  });

  it.runIf(isRoot)('trusts root', () => {
    chmodSync(place.directory, 0o755);
    const umask = process.umask(0);
    open({ permissions: 0o666 }).close();
    process.umask(umask);
    process.seteuid?.(65534);
    try {
      open({ mode: 'open' }).close();
    } finally {
      process.seteuid?.(0);
    }
  });

  it('goes on with what it checked, whatever the header says afterwards', () => {
    const segment = open({ payloadBytes: 1000 });
    const { words } = memoryOf(segment);
    const before = segment.participants();
    for (const word of [PAYLOAD_BYTES_WORD, TOTAL_BYTES_WORD, PARTICIPANT_COUNT_WORD]) words[word] = 2 ** 30;
    expect(segment.payload.length).toBe(1000);
    expect(segment.participants()).toEqual(before);
  });

  it.runIf(isRoot)('gives back nothing that it never checked, where a remover takes its mark back', () => {
    const ring = openRing(place.name, { directory: place.directory });
    // The remover is refused by a sticky folder, and takes the mark back: here in the name of another user.
    memoryOf(ring).words[RETIRED_WORD] = 1;
    chmodSync(place.directory, 0o1777);
    chownSync(place.directory, 12_002, 12_002);
    chownSync(file(), 12_003, 12_003);
    chmodSync(file(), 0o666);
    process.seteuid?.(12_004);
    try {
      expect(() => openLatest(place.name, { directory: place.directory, trustOwners: [12_003] })).toThrow(
        expect.objectContaining({ name: 'ShmError' }),
      );
    } finally {
      process.seteuid?.(0);
    }
    expect(ring.tryWrite(new Uint8Array(8))).toBe(true);
    ring.close();
  });
});

describe('one who only looks', () => {
  it('is told when the file is too short, and lives', () => {
    open().close();
    truncateSync(file(), 4096 + 64);
    expect(() => inspect(place.name, { directory: place.directory })).toThrow(code('ERR_SHM_SIZE'));
  });

  it('needs no addon, and does not take somebody for dead whom it cannot see', async () => {
    openSegment('mine', { directory: place.directory });
    joinDead(memoryOf(openSegment('mine', { directory: place.directory })).words);
    await using child = new ChildProcess(inject('childProgram'), ['env', 'CHAT_SHM_ADDON=/nowhere']);
    expect(await child.act('look at everything', place)).toEqual({ mine: ['alive', 'alive', 'unknown'] });
    const outcome = await child.command({ scenario: 'attach to a segment', place });
    expect(outcome?.error).toBe('ERR_SHM_ADDON_MISSING');
  });
});

describe('a file that a stranger removed', () => {
  it('is noticed by those who have it open, and by those whose name leads elsewhere', () => {
    const [segment, other] = [open(), open()];
    expect(segment.segment.retired).toBe(false);
    unlinkSync(file());
    expect([segment, other].map((each) => each.segment.retired)).toEqual([true, true]);
    const next = open();
    expect(next.segment.created).toBe(true);
    expect(segment.segment.retired).toBe(true);
    expect(next.segment.retired).toBe(false);
    renameSync(file(), file('moved'));
    expect(next.segment.retired).toBe(true);
  });
});

describe("onMismatch: 'replace-abandoned'", () => {
  const larger = { payloadBytes: 2000, onMismatch: 'replace-abandoned' } as const;

  it('is named by the error that it would avoid', () => {
    open({ payloadBytes: 1000 }).close();
    expect(() => open({ payloadBytes: 2000 })).toThrow(/onMismatch: 'replace-abandoned'/);
    expect(() => openLatest(place.name, { directory: place.directory })).toThrow(
      /onMismatch: 'replace-abandoned'/,
    );
  });

  it('replaces a segment in which everybody is dead', () => {
    const old = open({ payloadBytes: 1000 });
    joinDead(memoryOf(old).words);
    old.close();
    const next = open(larger);
    expect([next.segment.created, next.payload.length]).toEqual([true, 2000]);
    expect(readdirSync(place.directory)).toEqual([`${place.name}.cshm`]);
  });

  it('replaces one of another kind', () => {
    open().close();
    const latest = openLatest(place.name, { directory: place.directory, onMismatch: 'replace-abandoned' });
    expect(latest.segment.created).toBe(true);
    latest.close();
  });

  it('leaves one alone in which somebody lives, and says why', () => {
    const old = open({ payloadBytes: 1000 });
    old.payload[0] = 7;
    expect(() => open(larger)).toThrow(code('ERR_SHM_PARAMS'));
    expect(old.segment.retired).toBe(false);
    expect(open().payload[0]).toBe(7);
  });

  it('makes nothing and removes nothing with mode open, and keeps what fits', () => {
    open({ payloadBytes: 1000 }).close();
    expect(() => open({ ...larger, mode: 'open' })).toThrow(code('ERR_SHM_PARAMS'));
    const fits = open({ ...larger, payloadBytes: 1000 });
    expect(fits.segment.created).toBe(false);
    expect(() => open({ onMismatch: 'maybe' as 'refuse' })).toThrow(TypeError);
  });

  it('brings several that come at once into the same new segment', async () => {
    open({ payloadBytes: 1000 }).close();
    const children = Array.from({ length: 3 }, () => new ChildProcess(inject('childProgram')));
    try {
      const made = await Promise.all(children.map((child) => child.act('replace a segment', place)));
      expect(new Set(made.map(({ incarnation }) => incarnation)).size).toBe(1);
      expect(made.filter(({ created }) => created)).toHaveLength(1);
    } finally {
      await Promise.all(children.map((child) => child.end()));
    }
  });
});

describe('a folder that cannot hold a segment', () => {
  it.each([
    [0x6969, 'NFS'],
    [0x01021997, '9p'],
    [0xff534d42 | 0, 'CIFS'],
  ])('is refused when its file system is of other machines: %i', (type, name) => {
    expect(() => checkFileSystem(type, '/somewhere')).toThrow(code('ERR_SHM_FILE_SYSTEM'));
    expect(() => checkFileSystem(type, '/somewhere')).toThrow(`/somewhere is on ${name}`);
  });

  it('is not refused when it is in memory or on a disk of this machine', () => {
    for (const type of [0x01021994, 0xef53, 0x9123683e, 0x794c7630]) checkFileSystem(type, '/somewhere');
  });

  it('is refused when the container has less memory left than the segment needs', () => {
    checkMemory(4096, '/dev/shm', 4096);
    expect(() => checkMemory(4097, '/dev/shm', 4096)).toThrow(code('ERR_SHM_NO_SPACE'));
    expect(() => checkMemory(4097, '/dev/shm', 4096)).toThrow(
      '4097 bytes in /dev/shm exceed the 4096 that the memory limit of this container leaves',
    );
  });
});
