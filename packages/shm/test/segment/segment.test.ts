import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { openLatest } from '../../src/latest/latest.js';
import { openMutex } from '../../src/lock/mutex.js';
import { store } from '../../src/platform/atomics.js';
import { ByteLock } from '../../src/platform/byte-lock.js';
import {
  CLOSING_WORD,
  ENDIAN_WORD,
  KIND_WORD,
  MAGIC_WORD,
  PAYLOAD_BYTES_WORD,
  RETIRED_WORD,
  TOTAL_BYTES_WORD,
  VERSION_WORD,
} from '../../src/segment/layout.js';
import { MAKER_BYTE, removeLeftovers, temporaryPath } from '../../src/segment/path.js';
import { Segment } from '../../src/segment/segment.js';
import { openSegment, type SegmentOptions, type SharedSegment } from '../../src/segment/shared-segment.js';
import { ChildProcess } from '../support/child-process.js';
import { joinDead } from '../support/dead.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();
const onLinux = process.platform === 'linux';

function open(options: SegmentOptions = {}): SharedSegment {
  return openSegment(place.name, { directory: place.directory, ...options });
}

function file(): string {
  return join(place.directory, `${place.name}.cshm`);
}

function code(expected: string): unknown {
  return expect.objectContaining({ name: 'ShmError', code: expected });
}

/** Changes one word of the header of the file. */
function patch(index: number, value: number): void {
  const bytes = readFileSync(file());
  bytes.writeInt32LE(value, index * 4);
  writeFileSync(file(), bytes);
}

describe('openSegment', () => {
  it('makes a segment of zeros that the next one finds', () => {
    const first = open({ payloadBytes: 1000 });
    const second = open();
    expect(first.segment.created).toBe(true);
    expect(second.segment.created).toBe(false);
    expect(first.payload).toEqual(new Uint8Array(1000));
    first.payload[999] = 42;
    expect(second.payload[999]).toBe(42);
    expect(second.segment.incarnation).toBe(first.segment.incarnation);
    first.close();
    second.close();
  });

  it('maps once, however often it is opened in a thread', () => {
    const first = open();
    const second = open();
    expect(second.payload.buffer).toBe(first.payload.buffer);
    first.close();
    second.payload[0] = 1;
    expect(open().payload[0]).toBe(1);
    second.close();
  });

  it('obeys its mode', () => {
    expect(() => open({ mode: 'open' })).toThrow(code('ERR_SHM_NOT_FOUND'));
    const segment = open({ mode: 'create' });
    expect(() => open({ mode: 'create' })).toThrow(code('ERR_SHM_EXISTS'));
    expect(open({ mode: 'open' }).segment.incarnation).toBe(segment.segment.incarnation);
    expect(() => open({ mode: 'maybe' as 'open' })).toThrow(TypeError);
  });

  it('says so when the folder is not there', () => {
    const directory = join(place.directory, 'nowhere');
    expect(() => open({ directory })).toThrow(code('ERR_SHM_NOT_FOUND'));
    expect(() => open({ directory, mode: 'open' })).toThrow(code('ERR_SHM_NOT_FOUND'));
  });

  it('knows its file by its full path, so that the process may change its folder', () => {
    const segment = open({ directory: relative(process.cwd(), place.directory) });
    expect(segment.segment.path).toBe(file());
    expect(segment.closeAndRemoveIfLast()).toBe(true);
  });

  it('is only for its owner unless told otherwise', () => {
    open();
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    openSegment('public', { directory: place.directory, permissions: 0o640 });
    expect(statSync(join(place.directory, 'public.cshm')).mode & 0o777).toBe(0o640);
  });

  it('has real blocks behind every page, so that no access can fail later', () => {
    open({ payloadBytes: 3_000_000 });
    const { blocks, size } = statSync(file());
    expect(size).toBeGreaterThan(3_000_000);
    expect(blocks * 512).toBeGreaterThanOrEqual(size);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 31 - 4096, 2 ** 32, 2 ** 53])(
    'refuses %s bytes before it makes anything',
    (payloadBytes) => {
      expect(() => open({ payloadBytes })).toThrow(RangeError);
      expect(readdirSync(place.directory)).toEqual([]);
    },
  );

  it.each([0, 255, 1.5, Number.NaN])('refuses %s participants', (maxParticipants) => {
    expect(() => open({ maxParticipants })).toThrow(RangeError);
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it.each([
    '',
    '.',
    '..',
    '.hidden',
    '../up',
    '/lead',
    'a/b',
    'a\\b',
    'a\0b',
    'a b',
    'a\n',
    '-rf',
    'ä'.repeat(65),
  ])('refuses the name %j', (name) => {
    expect(() => openSegment(name, { directory: place.directory })).toThrow(code('ERR_SHM_INVALID_NAME'));
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it.each(['a', 'Übersicht-42', '数据', 'v1.2_x+y@z', 'x'.repeat(128)])('accepts the name %j', (name) => {
    const segment = openSegment(name, { directory: place.directory });
    expect(existsSync(join(place.directory, `${name}.cshm`))).toBe(true);
    expect(segment.closeAndRemoveIfLast()).toBe(true);
  });

  it('takes two spellings of one name for the same', () => {
    const composed = openSegment('\u00e9', { directory: place.directory });
    const decomposed = openSegment('e\u0301', { directory: place.directory });
    expect(decomposed.segment.incarnation).toBe(composed.segment.incarnation);
  });

  it('refuses another size than the segment has, and names both', () => {
    open({ payloadBytes: 1000 });
    expect(() => open({ payloadBytes: 1001 })).toThrow(code('ERR_SHM_PARAMS'));
    expect(() => open({ payloadBytes: 1001 })).toThrow(/payloadBytes 1000, not 1001/);
  });

  it('refuses a segment of another kind, and names both', () => {
    openMutex(place.name, { directory: place.directory }).close();
    expect(() => open()).toThrow(code('ERR_SHM_KIND'));
    expect(() => openLatest(place.name, { directory: place.directory })).toThrow(
      /holds a mutex, not a latest/,
    );
  });

  it('can be made with the default folder', () => {
    const name = `chat-shm-test-${process.pid}`;
    const segment = openSegment(name);
    expect(segment.segment.path.startsWith(onLinux ? '/dev/shm/' : '/')).toBe(true);
    expect(segment.closeAndRemoveIfLast()).toBe(true);
  });
});

describe('a file that is not what it should be', () => {
  it.each([
    ['empty', new Uint8Array(0)],
    ['short', new Uint8Array(4095)],
    ['zeros', new Uint8Array(8192)],
    ['text', new TextEncoder().encode('#!/bin/sh\n'.repeat(1000))],
  ])('is refused when it is %s', (_, content) => {
    writeFileSync(file(), content);
    expect(() => open()).toThrow(code('ERR_SHM_FOREIGN'));
    expect(readFileSync(file()).equals(content)).toBe(true);
  });

  it('is refused when it is a folder or a link that leads nowhere', () => {
    mkdirSync(file());
    expect(() => open()).toThrow(expect.objectContaining({ name: 'ShmError' }));
    rmSync(file(), { recursive: true });
    symlinkSync('nowhere', file());
    expect(() => open()).toThrow(expect.objectContaining({ name: 'ShmError' }));
  });

  it.each([
    ['another magic', MAGIC_WORD, 1, 'ERR_SHM_FOREIGN', /begins with 0x1, a segment with 0x4d485343/],
    ['the other byte order', ENDIAN_WORD, 0x04030201, 'ERR_SHM_ENDIAN', /big-endian/],
    ['another major version', VERSION_WORD, 0x00010000, 'ERR_SHM_VERSION', /version 1.* version 2/],
    ['another kind', KIND_WORD, 99, 'ERR_SHM_KIND', /unknown kind 99, not a raw/],
    ['another size in the header', TOTAL_BYTES_WORD, 4096, 'ERR_SHM_SIZE', /its header says 4096/],
    ['a payload beyond its end', PAYLOAD_BYTES_WORD, 2 ** 30, 'ERR_SHM_CORRUPT', /1073741824 bytes/],
    ['a negative payload', PAYLOAD_BYTES_WORD, -1, 'ERR_SHM_CORRUPT', /-1 bytes/],
    ['a payload that its parameters deny', PAYLOAD_BYTES_WORD, 8, 'ERR_SHM_CORRUPT', /says 8/],
  ])('is refused with %s', (_, word, value, expected, message) => {
    open().close();
    patch(word, value);
    expect(() => open()).toThrow(code(expected));
    expect(() => open()).toThrow(message);
  });

  it('is accepted with another minor version of the layout', () => {
    open().close();
    patch(VERSION_WORD, 0x0002_0007);
    expect(() => open().close()).not.toThrow();
  });

  it('is refused after somebody truncated it', () => {
    open().close();
    truncateSync(file(), 8192);
    expect(() => open()).toThrow(code('ERR_SHM_SIZE'));
  });
});

describe('Segment.close', () => {
  it('can be called again, and everything else throws afterwards', () => {
    const segment = open();
    const { payload } = segment;
    payload[0] = 9;
    segment.close();
    segment.close();
    for (const use of [
      () => segment.payload,
      () => segment.words,
      () => segment.mutex,
      () => segment.participants(),
      () => segment.tryLock(),
      () => segment.unlink(),
      () => segment.segment.retired,
    ]) {
      expect(use).toThrow(code('ERR_SHM_CLOSED'));
    }
    expect(segment.closeAndRemoveIfLast()).toBe(false);
    // A forgotten view does not crash the process, and sees nothing.
    expect(payload[0]).toBe(0);
    payload[0] = 1;
    expect(open().payload[0]).toBe(9);
  });

  it('happens at the end of a block', async () => {
    let inside: SharedSegment;
    {
      using segment = open();
      inside = segment;
    }
    expect(inside.closed).toBe(true);
    {
      await using segment = open();
      inside = segment;
    }
    expect(inside.closed).toBe(true);
  });

  it.runIf(onLinux)('leaves no mapping, descriptor or slot behind, hundreds of times over', () => {
    const countMaps = (): number =>
      readFileSync('/proc/self/maps', 'latin1').split(place.directory).length - 1;
    const countFds = (): number => readdirSync('/proc/self/fd').length;
    const fds = countFds();
    for (let i = 0; i < 300; i++) {
      const segment = open({ payloadBytes: 100_000 });
      segment.payload[i] = 1;
      segment.closeAndRemoveIfLast();
    }
    expect(countMaps()).toBe(0);
    expect(countFds()).toBeLessThanOrEqual(fds + 1);
    expect(readdirSync(place.directory)).toEqual([]);
  });
});

describe('Segment.unlink', () => {
  it('leaves the memory to those who have it, tells them, and gives the name to the next', () => {
    const old = open();
    const other = open();
    old.payload[0] = 1;
    old.unlink();
    old.unlink();
    expect(existsSync(file())).toBe(false);
    expect(other.segment.retired).toBe(true);
    const next = open();
    expect(next.segment.created).toBe(true);
    expect(next.segment.incarnation).not.toBe(old.segment.incarnation);
    expect(next.payload[0]).toBe(0);
    other.payload[0] = 2;
    expect(old.payload[0]).toBe(2);
    // The name is another's now, and stays.
    other.unlink();
    expect(next.segment.retired).toBe(false);
    expect(existsSync(file())).toBe(true);
  });

  it('copes with a file that a stranger removed', () => {
    const old = open();
    rmSync(file());
    const next = open();
    expect(next.segment.created).toBe(true);
    old.unlink();
    expect(existsSync(file())).toBe(true);
    next.close();
  });

  it('is finished by the next opener when the remover died half way', () => {
    const old = open();
    store(memoryOf(old).words, CLOSING_WORD, joinDead(memoryOf(old).words).token);
    store(memoryOf(old).words, RETIRED_WORD, 1);
    const next = open({ mode: 'create' });
    expect(next.segment.created).toBe(true);
    expect(next.segment.incarnation).not.toBe(old.segment.incarnation);
  });

  it('makes openers wait for a remover that lives, but not for ever', () => {
    const old = open();
    store(memoryOf(old).words, CLOSING_WORD, old.participant.token);
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'ERR_SHM_BUSY',
        message: expect.stringContaining(`being removed by process ${process.pid}, which is alive`),
      }),
    );
    store(memoryOf(old).words, CLOSING_WORD, 0);
    open().close();
  });
});

describe('Segment.closeAndRemoveIfLast', () => {
  it('keeps the segment while anybody has it open', () => {
    const first = open();
    const second = open();
    expect(first.closeAndRemoveIfLast()).toBe(false);
    expect(existsSync(file())).toBe(true);
    expect(second.closeAndRemoveIfLast()).toBe(true);
    expect(readdirSync(place.directory)).toEqual([]);
  });

  it('does not count the dead', () => {
    const segment = open();
    joinDead(memoryOf(segment).words);
    expect(segment.closeAndRemoveIfLast()).toBe(true);
  });

  it('refuses while its mutex is held here', () => {
    const segment = open();
    const lock = segment.tryLock();
    expect(() => segment.closeAndRemoveIfLast()).toThrow(code('ERR_SHM_BUSY'));
    lock?.release();
    expect(segment.closeAndRemoveIfLast()).toBe(true);
  });
});

describe('a read-only segment', () => {
  it('sees everything, changes nothing, and is seen by nobody', () => {
    const writer = open();
    const before = readFileSync(file());
    const reader = open({ access: 'read-only' });
    expect(readFileSync(file()).equals(before)).toBe(true);
    expect(writer.participants()).toHaveLength(1);
    writer.payload[3] = 5;
    expect(reader.payload[3]).toBe(5);
    expect(() => reader.mutex).toThrow(code('ERR_SHM_READ_ONLY'));
    expect(() => reader.unlink()).toThrow(code('ERR_SHM_READ_ONLY'));
    expect(() => reader.closeAndRemoveIfLast()).toThrow(code('ERR_SHM_READ_ONLY'));
    reader.close();
  });

  it('is never made', () => {
    expect(() => open({ access: 'read-only' })).toThrow(code('ERR_SHM_NOT_FOUND'));
    expect(() => open({ access: 'read-only', mode: 'create' })).toThrow(TypeError);
    expect(() => open({ access: 'write-only' as 'read-only' })).toThrow(TypeError);
  });
});

describe('what a dead creator left', () => {
  it('is removed by the next creator, and what a live one is making is not', () => {
    const path = file();
    const [dead, alive] = [temporaryPath(path), temporaryPath(path)];
    const other = temporaryPath(join(place.directory, 'other.cshm'));
    const alike = `${path}.of somebody.tmp`;
    for (const each of [dead, alive, other, alike]) writeFileSync(each, '');
    const fd = openSync(alive, 'r+');
    const lock = new ByteLock(fd, alive);
    closeSync(fd);
    lock.take(MAKER_BYTE);
    open();
    const left = readdirSync(place.directory).map((entry) => join(place.directory, entry));
    expect(left.sort()).toEqual([path, alive, other, alike].sort());
    lock.close();
    expect(removeLeftovers(place.directory).sort()).toEqual([basename(alive), basename(other)].sort());
  });

  it('is not looked for in a folder that cannot be read', () => {
    expect(removeLeftovers(join(place.directory, 'none'))).toEqual([]);
  });

  it('is removed by the next opener when it died between publishing and tidying up', () => {
    open().close();
    linkSync(file(), temporaryPath(file()));
    open({ mode: 'open' }).close();
    expect(readdirSync(place.directory)).toEqual([`${place.name}.cshm`]);
  });
});

describe('several processes', () => {
  it('that race to create a segment: one makes it, the others find it', async () => {
    const children = Array.from({ length: 4 }, () => new ChildProcess(inject('childProgram')));
    try {
      const results = await Promise.all(children.map((child) => child.act('attach to a segment', place)));
      expect(results.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(results.map(({ incarnation }) => incarnation)).size).toBe(1);
      expect(readdirSync(place.directory)).toEqual([`${place.name}.cshm`]);
    } finally {
      await Promise.all(children.map((child) => child.end()));
    }
  });

  it('of which only one may create', async () => {
    const children = Array.from({ length: 4 }, () => new ChildProcess(inject('childProgram')));
    try {
      const outcomes = await Promise.all(
        children.map((child) => child.command({ scenario: 'create a segment', place })),
      );
      expect(outcomes.map((outcome) => outcome?.error).sort()).toEqual([
        'ERR_SHM_EXISTS',
        'ERR_SHM_EXISTS',
        'ERR_SHM_EXISTS',
        undefined,
      ]);
    } finally {
      await Promise.all(children.map((child) => child.end()));
    }
  });
});

const mayMount = onLinux && process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

describe.runIf(mayMount)('a folder without room', () => {
  /** Runs with a tmpfs of 256 KiB at the place, which vanishes again. */
  function withSmallDisk(body: () => void): void {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', place.directory]);
    try {
      body();
    } finally {
      execFileSync('umount', ['-l', place.directory]);
    }
  }

  it('is an error with numbers at creation, and nothing is left there', () => {
    withSmallDisk(() => {
      expect(() => open({ payloadBytes: 1 << 20 })).toThrow(code('ERR_SHM_NO_SPACE'));
      expect(() => open({ payloadBytes: 1 << 20 })).toThrow(/no room for 1060864 bytes: 262144 were written/);
      expect(readdirSync(place.directory)).toEqual([]);
      open({ payloadBytes: 1 << 16 }).close();
    });
  });

  it('does not matter to a segment that is there already', () => {
    withSmallDisk(() => {
      const segment = open({ payloadBytes: 1 << 17 });
      expect(() => writeFileSync(join(place.directory, 'filler'), new Uint8Array(1 << 20))).toThrow(/ENOSPC/);
      segment.payload.fill(7);
      expect(segment.payload.every((byte) => byte === 7)).toBe(true);
      segment.close();
    });
  });
});

describe.runIf(onLinux && process.getuid?.() === 0)('another user', () => {
  /** Runs as nobody for the file system, which is what counts here. */
  function asNobody<T>(body: () => T): T {
    process.seteuid?.(65534);
    try {
      return body();
    } finally {
      process.seteuid?.(0);
    }
  }

  it('may not open what is not for him', () => {
    open().close();
    chmodSync(place.directory, 0o755);
    expect(() => asNobody(() => open())).toThrow(code('ERR_SHM_ACCESS'));
    expect(() => asNobody(() => openSegment('new', { directory: place.directory }))).toThrow(
      code('ERR_SHM_ACCESS'),
    );
  });

  it('may not remove from a sticky folder what he may write, and harms nothing by trying', () => {
    open().close();
    chmodSync(file(), 0o666);
    chmodSync(place.directory, 0o1777);
    const segment = asNobody(() => open());
    expect(() => asNobody(() => segment.unlink())).toThrow(code('ERR_SHM_ACCESS'));
    expect(segment.segment.retired).toBe(false);
    segment.close();
    open({ mode: 'open' }).close();
  });

  it('may look at what is readable for him', () => {
    open({ permissions: 0o644 }).payload[0] = 3;
    chmodSync(place.directory, 0o755);
    expect(() => asNobody(() => open())).toThrow(code('ERR_SHM_ACCESS'));
    expect(asNobody(() => open({ access: 'read-only' })).payload[0]).toBe(3);
  });
});

describe('Segment.open', () => {
  it('opens whatever is there when told nothing of a kind', () => {
    openLatest(place.name, { directory: place.directory, maxValueBytes: 10 }).close();
    const segment = Segment.open(undefined, place.name, { directory: place.directory });
    expect(segment.params.slice(0, 2)).toEqual([10, 4]);
    segment.close();
    expect(() => Segment.open(undefined, 'none', { directory: place.directory })).toThrow(
      code('ERR_SHM_NOT_FOUND'),
    );
  });
});
