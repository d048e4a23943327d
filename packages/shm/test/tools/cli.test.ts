import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { openChannel } from '../../src/channel/channel.js';
import { openLatest } from '../../src/latest/latest.js';
import { openMutex } from '../../src/lock/mutex.js';
import { openLog } from '../../src/log/log.js';
import { openRing } from '../../src/ring/ring.js';
import { temporaryPath } from '../../src/segment/path.js';
import { openSegment } from '../../src/segment/shared-segment.js';
import { runCli } from '../../src/tools/cli.js';
import { ChildProcess } from '../support/child-process.js';
import { deadIdentity, joinDead } from '../support/dead.js';
import { memoryOf } from '../support/memory.js';
import { usePlace } from '../support/place.js';

const place = usePlace();

/** Runs the program on the folder of the test. */
function run(...args: string[]): { exitCode: number; out: string; err: string } {
  const result = { out: '', err: '' };
  const exitCode = runCli(['--directory', place.directory, ...args], {
    print: (text) => {
      result.out += text;
    },
    complain: (text) => {
      result.err += text;
    },
  });
  return { exitCode: exitCode as number, ...result };
}

/** The words of each line. */
function table(text: string): string[][] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

describe('chat-shm list', () => {
  it('shows what is there, who takes part, and who has the lock', () => {
    expect(run('list')).toEqual({ exitCode: 0, out: 'no segments\n', err: '' });
    const mutex = openMutex('door', { directory: place.directory });
    joinDead(memoryOf(mutex).words);
    mutex.tryLock();
    const log = openLog('orders', { directory: place.directory, capacityBytes: 4096 });
    const { exitCode, out, err } = run();
    expect([exitCode, err]).toEqual([0, '']);
    expect(table(out)).toEqual([
      ['NAME', 'KIND', 'BYTES', 'PARTICIPANTS', 'LOCK'],
      ['door', 'mutex', '12288', '1 alive, 1 dead', `held by process ${process.pid} (alive)`],
      ['orders', 'log', '20480', '1 alive', 'free'],
    ]);
    mutex.close();
    log.close();
  });

  it('says in one line what is wrong with a file, and shows the others', () => {
    writeFileSync(join(place.directory, 'short.cshm'), 'short');
    mkdirSync(join(place.directory, 'folder.cshm'));
    const segment = openSegment(place.name, { directory: place.directory });
    const { exitCode, out } = run('list');
    expect(exitCode).toBe(0);
    expect(table(out).map(([first]) => first)).toEqual([
      'NAME',
      place.name,
      expect.stringMatching(/^folder: .*folder\.cshm.* \(ERR_SHM_\w+\)$/),
      expect.stringMatching(/^short: .*short\.cshm has 5 bytes, .* \(ERR_SHM_FOREIGN\)$/),
    ]);
    expect(JSON.parse(run('list', '--json').out)).toMatchObject([
      { name: 'folder', error: {} },
      { name: 'short', error: { code: 'ERR_SHM_FOREIGN' } },
      { name: place.name, report: { kind: 'raw', participants: [{ pid: process.pid }] } },
    ]);
    segment.close();
  });

  it('does not take for a segment what somebody is making or died making', () => {
    writeFileSync(temporaryPath(join(place.directory, 'unfinished.cshm')), '');
    expect(run('list').out).toBe('no segments\n');
    expect(run('inspect', 'unfinished')).toMatchObject({
      exitCode: 1,
      err: `chat-shm: there is no segment unfinished in ${place.directory} (ERR_SHM_NOT_FOUND)\n`,
    });
  });

  it('says that there is no such folder', () => {
    const directory = join(place.directory, 'none');
    const { exitCode, out, err } = run('list', '--directory', directory);
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain(`listing ${directory}`);
  });
});

describe('chat-shm inspect', () => {
  it('shows the header, the participants, and how far each reader of a log is', () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 4096 });
    const readers = [
      log.reader(),
      openLog(place.name, { directory: place.directory }).reader({ reliable: true }),
    ];
    joinDead(memoryOf(log).words);
    for (let i = 0; i < 3; i++) log.tryAppend(new Uint8Array(8));
    const { exitCode, out } = run('inspect', place.name);
    expect(exitCode).toBe(0);
    const rows = table(out);
    expect(rows[0]).toEqual([`${place.name}: log, layout 2.0`]);
    expect(rows).toContainEqual(['path', log.segment.path]);
    for (const [name, value] of Object.entries({
      'total bytes': '20480',
      'payload bytes': '7168',
      lock: 'free',
      entries: '3',
      'kept bytes': '72',
      writer: '–',
    }))
      expect(rows).toContainEqual([name, value]);
    expect(rows).toContainEqual(['participants: 2 alive, 1 dead']);
    const pid = `${process.pid}`;
    const deadPid = `${deadIdentity().pid}`;
    const readersAt = rows.findIndex(([title]) => title === 'participants:');
    expect(rows.slice(readersAt + 1, readersAt + 5)).toEqual([
      ['SLOT', 'PID', 'READS', 'LAG BYTES', 'LOST ENTRIES', 'ASLEEP'],
      ['0', pid, 'lossily', '72', '0', 'no'],
      ['1', pid, 'reliably', '72', '0', 'no'],
      ['2', deadPid, '–', '–', '0', 'no'],
    ]);
    const [titles, ...people] = rows.slice(-4);
    expect(titles?.slice(0, 4)).toEqual(['SLOT', 'ROLE', 'PID', 'LIVENESS']);
    expect(titles).toEqual(
      expect.arrayContaining(['NO BELL', 'SENT', 'RECEIVED', 'RUNG', 'SLEPT', 'LOCK WAITS']),
    );
    expect(people.map((row) => row.slice(0, 4))).toEqual([
      ['0', 'both', pid, 'alive'],
      ['1', 'reader', pid, 'alive'],
      ['2', 'user', deadPid, 'dead'],
    ]);
    for (const reader of readers) reader.close();
    log.close();
  });

  it.each([
    [
      'latest',
      () =>
        openLatest(place.name, { directory: place.directory, maxValueBytes: 10 }).write(new Uint8Array(3)),
      { 'max value bytes': '10', cells: '4', version: '1', writer: 'process PID (alive)' },
    ],
    [
      'ring',
      () =>
        openRing(place.name, { directory: place.directory, capacityBytes: 4096 }).tryWrite(new Uint8Array(8)),
      { 'unread bytes': '16', 'capacity bytes': '4096', writer: 'process PID (alive)', reader: '–' },
    ],
    [
      'channel',
      () => {
        const b = openChannel(place.name, { directory: place.directory, capacityBytes: 4096, side: 'b' });
        openChannel(place.name, { directory: place.directory, side: 'a' }).trySend(new Uint8Array(8));
        b.close();
      },
      {
        'a holder': 'process PID (alive)',
        'a unread bytes': '16',
        'b holder': '–',
        'b left': 'yes',
        'b unread bytes': '0',
      },
    ],
  ])('shows the positions of a %s', (kind, make, positions) => {
    make();
    const { out } = run('inspect', place.name);
    expect(out).toContain(`${place.name}: ${kind}, `);
    const values = table(out).map(([name, value]) => [name, value?.replace(`${process.pid}`, 'PID')]);
    expect(Object.fromEntries(values)).toMatchObject(positions);
  });

  it('prints as JSON what inspect() returns', () => {
    const mutex = openMutex(place.name, { directory: place.directory });
    expect(JSON.parse(run('inspect', place.name, '--json').out)).toMatchObject({
      name: place.name,
      kind: 'mutex',
      lock: { state: 'free' },
      participants: [{ slot: 0, pid: process.pid, liveness: 'alive' }],
    });
    mutex.close();
  });

  it('takes the path of a file as well', () => {
    const mutex = openMutex(place.name, { directory: place.directory });
    expect(runCli(['inspect', mutex.segment.path], { print: () => {}, complain: () => {} })).toBe(0);
    mutex.close();
  });

  it('says in one line what is wrong with a file', () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 4096 });
    writeFileSync(join(place.directory, 'text.cshm'), 'x'.repeat(5000));
    expect(run('inspect', 'text')).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^chat-shm: .* \(ERR_SHM_FOREIGN\)\n$/),
    });
    memoryOf(log).words[16] = 2 ** 30;
    expect(run('inspect', place.name)).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^chat-shm: .* \(ERR_SHM_CORRUPT\)\n$/),
    });
    memoryOf(log).words[4] = 4096;
    expect(run('inspect', place.name)).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^chat-shm: .* \(ERR_SHM_SIZE\)\n$/),
    });
  });

  it('changes nothing and fails at nothing while another process writes as fast as it can', async () => {
    const log = openLog(place.name, { directory: place.directory, capacityBytes: 2 ** 16 });
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('append to a log until killed', { ...place });
    for (let i = 0; i < 300; i++) expect(run('inspect', place.name)).toMatchObject({ exitCode: 0, err: '' });
    await child.end();
    expect(log.participants()).toHaveLength(2);
    log.close();
  });

  it('finds it or does not, while another process makes and removes it again and again', async () => {
    await using child = new ChildProcess(inject('childProgram'));
    await child.act('make and remove a segment until killed', { ...place });
    const seen = { found: 0, gone: 0 };
    for (let i = 0; i < 3000 && (seen.found < 20 || seen.gone < 20); i++) {
      const { exitCode, err } = run('inspect', place.name);
      if (exitCode === 0) seen.found++;
      else seen.gone++;
      if (exitCode !== 0) expect(err).toMatch(/ERR_SHM_NOT_FOUND/);
      expect(run('list').exitCode).toBe(0);
    }
    expect(seen.found).toBeGreaterThan(0);
    expect(seen.gone).toBeGreaterThan(0);
  });
});

describe('chat-shm watch', () => {
  it('shows what each participant does, of one segment or of all', async () => {
    const { directory } = place;
    const ring = openRing(place.name, { directory, capacityBytes: 4096 });
    const other = openMutex('other', { directory });
    const texts: string[] = [];
    const watching = async (...args: string[]): Promise<number> =>
      runCli(['watch', '--interval', '1', '--directory', directory, ...args], {
        print: (text) => {
          texts.push(text);
          ring.tryWrite(new Uint8Array(1));
        },
        complain: (text) => texts.push(text),
      });
    expect(await watching('--times', '3', '--json', place.name)).toBe(0);
    const looks = texts.map((text) => JSON.parse(text) as Record<string, unknown>[]);
    expect(looks.map((rows) => rows.length)).toEqual([1, 1, 1]);
    expect(looks[0]?.[0]).toMatchObject({
      name: place.name,
      slot: 0,
      pid: process.pid,
      liveness: 'alive',
      'sent/s': 0,
    });
    expect(looks[1]?.[0]?.['sent/s']).toBeGreaterThan(0);
    texts.length = 0;
    expect(await watching('--times', '1')).toBe(0);
    const rows = table(texts[0] ?? '');
    expect(rows[0]).toEqual([
      'NAME',
      'SLOT',
      'PID',
      'LIVENESS',
      'SENT/S',
      'RECEIVED/S',
      'RUNG/S',
      'SLEPT/S',
      'LOCK WAITS/S',
    ]);
    expect(rows.slice(1).map(([name]) => name)).toEqual(['other', place.name].sort());
    ring.close();
    other.close();
    texts.length = 0;
    expect(await watching('nobody')).toBe(1);
    expect(texts[0]).toContain('ERR_SHM_NOT_FOUND');
  });
});

describe('chat-shm cleanup and remove', () => {
  it('frees what the dead left, and only with leave what nobody uses', () => {
    const segment = openSegment(place.name, { directory: place.directory });
    joinDead(memoryOf(segment).words);
    segment.close();
    expect(run('cleanup')).toEqual({ exitCode: 0, out: 'freed 1 participant slots of the dead\n', err: '' });
    expect(run('cleanup').out).toBe('nothing to clean up\n');
    expect(JSON.parse(run('cleanup', '--remove-abandoned', '--json').out)).toEqual({
      leftovers: [],
      participants: 0,
      removed: [place.name],
    });
    expect(run('list').out).toBe('no segments\n');
  });

  it('gives a name up', () => {
    const segment = openSegment(place.name, { directory: place.directory });
    expect(run('remove', place.name)).toEqual({ exitCode: 0, out: `removed ${place.name}\n`, err: '' });
    expect(segment.segment.retired).toBe(true);
    expect(run('remove', place.name)).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('ERR_SHM_NOT_FOUND'),
    });
    segment.close();
  });
});

describe('chat-shm', () => {
  it.each([
    [['dance'], 'there is no command "dance"'],
    [['toString'], 'there is no command "toString"'],
    [['inspect'], 'inspect takes one name'],
    [['inspect', 'a', 'b'], 'inspect takes one name'],
    [['list', 'a'], 'list takes no name'],
    [['list', '--remove-abandoned'], '--remove-abandoned is for cleanup'],
    [['inspect', 'a', '--times', '3'], '--times is for watch'],
    [['watch', '--times', 'x'], '--times is a number of 1 or more'],
    [['watch', 'a', 'b'], 'watch takes one name'],
    [['--nope'], "Unknown option '--nope'"],
    [['--drectory', 'x'], "Unknown option '--drectory', did you mean --directory?"],
  ])('refuses %j', (args, why) => {
    expect(run(...args)).toEqual({ exitCode: 2, out: '', err: `chat-shm: ${why}; see chat-shm --help\n` });
  });

  it('explains itself', () => {
    const { exitCode, out } = run('--help');
    expect(exitCode).toBe(0);
    for (const word of [
      'list',
      'inspect <name>',
      'watch [name]',
      'cleanup',
      'remove <name>',
      '--json',
      '--directory',
    ]) {
      expect(out).toContain(word);
    }
  });
});

describe('chat-shm-build', () => {
  it('refuses an argument that does not exist, and builds nothing', () => {
    const program = fileURLToPath(new URL('../../bin/chat-shm-build.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [program, '--iff-needed'], { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^chat-shm-build: Unknown option '--iff-needed'/);
  });
});
