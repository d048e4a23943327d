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
  return { exitCode, ...result };
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
    expect(rows).toContainEqual(['file', log.segment.path]);
    expect(rows).toContainEqual(['size', '20480 bytes, 7168 of them payload']);
    expect(rows).toContainEqual(['lock', 'free']);
    expect(rows).toContainEqual(['entries', '3 entries so far, 72 of 4096 bytes kept']);
    expect(rows).toContainEqual(['appending', 'nobody']);
    expect(rows).toContainEqual(['participants: 2 alive, 1 dead, of at most 64']);
    expect(rows.slice(-3).map((row) => row.filter((cell) => !cell.includes('T')))).toEqual([
      ['0', `${process.pid}`, 'alive', 'both', 'lossily', '72', '0', 'no'],
      ['1', `${process.pid}`, 'alive', 'reader', 'reliably', '72', '0', 'no'],
      ['2', `${deadIdentity().pid}`, 'dead', 'user', '–', '–', '0', 'no'],
    ]);
    for (const reader of readers) reader.close();
    log.close();
  });

  it.each([
    [
      'latest',
      () =>
        openLatest(place.name, { directory: place.directory, maxValueBytes: 10 }).write(new Uint8Array(3)),
      ['1, values of at most 10 bytes in 4 cells', 'process PID (alive)'],
    ],
    [
      'ring',
      () =>
        openRing(place.name, { directory: place.directory, capacityBytes: 4096 }).tryWrite(new Uint8Array(8)),
      ['16 of 4096 bytes', 'process PID (alive)', 'nobody'],
    ],
    [
      'channel',
      () => {
        const b = openChannel(place.name, { directory: place.directory, capacityBytes: 4096, side: 'b' });
        openChannel(place.name, { directory: place.directory, side: 'a' }).trySend(new Uint8Array(8));
        b.close();
      },
      [
        'process PID (alive); of what it sent, 16 of 4096 bytes is unread',
        'left; of what it sent, 0 of 4096 bytes is unread',
      ],
    ],
  ])('shows the positions of a %s', (kind, make, positions) => {
    make();
    const { out } = run('inspect', place.name);
    expect(out).toContain(`${place.name}: ${kind}, `);
    const values = table(out).map(([, value]) => value?.replace(`${process.pid}`, 'PID'));
    expect(values).toEqual(expect.arrayContaining(positions));
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
    [['--nope'], "Unknown option '--nope'"],
    [['--drectory', 'x'], "Unknown option '--drectory', did you mean --directory?"],
  ])('refuses %j', (args, why) => {
    expect(run(...args)).toEqual({ exitCode: 2, out: '', err: `chat-shm: ${why}; see chat-shm --help\n` });
  });

  it('explains itself', () => {
    const { exitCode, out } = run('--help');
    expect(exitCode).toBe(0);
    for (const word of ['list', 'inspect <name>', 'cleanup', 'remove <name>', '--json', '--directory']) {
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
