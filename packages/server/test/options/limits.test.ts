/** The table of limits is whole, and what is written about limits elsewhere is what the table says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LIMITS, type Limit } from '../../src/options/limits.js';
import { resolveOptions, UNLIMITED } from '../../src/options/options.js';
import { maxMessageBytes } from '../../src/options/resolve-limits.js';

const source = readFileSync(new URL('../../src/options/limits.ts', import.meta.url), 'utf8');
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const limits = Object.entries(LIMITS);

/** The end of a name that says its unit. */
const NAME_OF_UNIT: Readonly<Record<Limit['unit'], RegExp>> = {
  bytes: /Bytes(PerSecond.*)?$/,
  ms: /Ms$/,
  number: /^(?!.*(Bytes|Ms$))/,
};

describe('the table of limits', () => {
  it.each(limits)('has a name for %s that says its unit', (name, { unit }) => {
    expect(name).toMatch(NAME_OF_UNIT[unit]);
  });

  it.each(limits)('says the default of %s where an editor shows it', (name, { defaultText }) => {
    const comment = source.split(`\n  ${name}: {`)[0]!.split('/**').at(-1)!;
    const told = /@defaultValue ([\s\S]*?)\s*\*\/\s*$/.exec(comment)?.[1];
    expect(told?.replace(/\s*\n\s*\* /g, ' ')).toBe(defaultText);
  });

  it('is in the README, row by row', () => {
    const rows = limits.map(([name, { defaultText, mayBeInfinite, adjustable, text }]) => {
      const may = [...(mayBeInfinite ? ['infinite'] : []), ...(adjustable ? ['adjusted'] : [])];
      return `| \`${name}\` | ${defaultText} | ${may.join(', ')} | ${text} |`.replaceAll('|  |', '| |');
    });
    const [, table] = readme.split(
      '\n| limit | default | may be | what it bounds |\n| --- | --- | --- | --- |\n',
    );
    expect(table!.split('\n\n')[0]!.split('\n')).toEqual(rows);
  });

  it('says how large a message may be', () => {
    const { maxFrameBytes } = resolveOptions({});
    expect(LIMITS.maxFrameBytes.text).toContain(
      `has ${maxFrameBytes - maxMessageBytes({ maxFrameBytes })} bytes less`,
    );
  });

  it('is lifted by UNLIMITED where one machine would run into it', () => {
    const lifted = Object.entries(UNLIMITED).filter(([, value]) => value === Number.POSITIVE_INFINITY);
    expect(lifted.map(([name]) => name).sort()).toEqual([
      'maxConnectionsPerAddress',
      'maxConnectionsPerSecondPerAddress',
      'maxInputBytesPerSecond',
      'maxInputBytesPerSecondPerAddress',
      'maxMembersPerRoom',
      'maxMessageBurst',
      'maxMessagesPerSecond',
      'maxMessagesPerSecondPerAddress',
      'maxRoomsPerAddress',
      'maxSessions',
      'maxSessionsPerAddress',
    ]);
    expect(UNLIMITED.maxInFlight).toBe(65_536);
  });
});

describe('a default', () => {
  it('is a part of another limit where that is less', () => {
    expect(resolveOptions({ maxMemoryBytes: 4_000_003 }).maxLogBytes).toBe(1_000_000);
    expect(resolveOptions({ maxMemoryBytes: 1 }).maxLogBytes).toBe(1);
    expect(resolveOptions({ maxMemoryBytes: Number.POSITIVE_INFINITY }).maxLogBytes).toBe(536_870_912);
  });

  it('is a multiple of another limit where that is more', () => {
    expect(resolveOptions({ maxFrameBytes: 600_001 }).retentionBytes).toBe(4_800_008);
    expect(resolveOptions({ maxFrameBytes: 4096, maxLineBytes: 1000 }).retentionBytes).toBe(4_194_304);
  });

  it('is a part of the memory there is', () => {
    const { maxMemoryBytes } = resolveOptions({});
    expect(maxMemoryBytes).toBeGreaterThan(1_048_576);
    expect(Number.isInteger(maxMemoryBytes)).toBe(true);
  });
});

describe('a limit', () => {
  it.each([
    [{ maxFrameBytes: 4095 }, 'maxFrameBytes must be a whole number from 4096 to 268435456, got 4095'],
    [{ maxSessions: 0 }, 'maxSessions must be a whole number of at least 1, got 0'],
    [{ maxSessions: '5' }, 'maxSessions must be a number, got 5'],
    [{ maxRateViolations: -1 }, 'maxRateViolations must be a whole number of at least 0, got -1'],
    [{ maxFrameBytes: 4096 }, 'maxLineBytes 16384 does not fit into maxFrameBytes 4096'],
    [{ maxSignalBytes: 65_536 }, 'maxSignalBytes 65536 does not fit into maxFrameBytes 65536'],
    [{ inboxBytes: 5 }, 'inboxBytes 5 does not hold one frame of maxFrameBytes 65536'],
  ])('is refused with its bounds: %j', (options, message) => {
    expect(() => resolveOptions(options as object)).toThrow(message);
  });
});
