import { describe, expect, it } from 'vitest';
import { AddressLimit } from '../../../src/limits/addresses/address-limit.js';
import { AddressRanges } from '../../../src/limits/addresses/address-ranges.js';
import { SharedCounts } from '../../support/shared-counts.js';

function entered(limit: AddressLimit, addresses: readonly string[]): boolean[] {
  return addresses.map((address) => limit.tryEnter(address));
}

describe('AddressLimit', () => {
  it('counts each IPv4 address by itself, also in IPv6 form', () => {
    const limit = new AddressLimit(() => 1, []);
    expect(entered(limit, ['192.0.2.1', '192.0.2.2', '::ffff:192.0.2.1', '192.0.2.1'])).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', true],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:0:0:0:3', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['::1', '::2', true],
    ['1::', '1:0:0:0:5::', true],
  ])('counts %s and %s as the same: %s', (first, second, same) => {
    const limit = new AddressLimit(() => 1, []);
    expect(limit.tryEnter(first)).toBe(true);
    expect(limit.tryEnter(second)).toBe(!same);
  });

  it('has room again for each that leaves, and for no more', () => {
    const limit = new AddressLimit(() => 2, []);
    expect(entered(limit, ['192.0.2.1', '192.0.2.1', '192.0.2.1'])).toEqual([true, true, false]);
    limit.leave('192.0.2.1');
    expect(entered(limit, ['192.0.2.1', '192.0.2.1'])).toEqual([true, false]);
    for (let i = 0; i < 9; i++) limit.leave('192.0.2.1');
    expect(entered(limit, ['192.0.2.1', '192.0.2.1', '192.0.2.1'])).toEqual([true, true, false]);
  });

  it('does not limit Unix sockets, nor what is exempt', () => {
    const limit = new AddressLimit(
      () => 1,
      [
        new AddressRanges(['10.0.0.0/8', '2001:db8::/32'], 'exemptAddresses'),
        new AddressRanges(['192.0.2.7'], 'trustedProxies'),
      ],
    );
    for (const address of ['', '10.1.2.3', '::ffff:10.1.2.3', '2001:db8:5::1', '192.0.2.7']) {
      expect(entered(limit, [address, address, address])).toEqual([true, true, true]);
    }
    expect(entered(limit, ['11.0.0.1', '11.0.0.1'])).toEqual([true, false]);
  });
});

it('bounds what is exempt and Unix sockets as well, all together', () => {
  const exempt = [new AddressRanges(['10.0.0.0/8'], 'exemptAddresses')];
  const limit = new AddressLimit(
    () => 1,
    exempt,
    () => 3,
  );
  expect(entered(limit, ['10.0.0.1', '10.0.0.2', '', '10.0.0.1', ''])).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  limit.leave('');
  expect(entered(limit, ['10.0.0.1', '192.0.2.1', '192.0.2.1'])).toEqual([true, true, false]);
});

describe('an AddressLimit of several servers', () => {
  const limitsOf = (max: number) => {
    const table = new SharedCounts();
    const parts = [table.part(), table.part()];
    const limits = parts.map(
      (counts) => new AddressLimit(() => max, [], undefined, { counts, what: 'connections' }),
    );
    return { parts, one: limits[0]!, other: limits[1]! };
  };

  it('counts what an address has at all of them, and IPv6 by its blocks', () => {
    const { one, other } = limitsOf(2);
    expect([one, other, one, other].map((limit) => limit.tryEnter('192.0.2.1'))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    one.leave('192.0.2.1');
    expect(other.hasRoom('192.0.2.1')).toBe(true);
    const site = Array.from({ length: 40 }, (_, i) => `2001:db8:0:${(i * 256).toString(16)}::1`);
    const entered = site.filter((address, i) => (i % 2 ? one : other).tryEnter(address));
    expect(entered).toHaveLength(2 * 16);
  });

  it('gives back what one of them had that has ended, and leaves nothing behind', () => {
    const { parts, one, other } = limitsOf(1);
    one.tryEnter('192.0.2.1');
    expect(other.tryEnter('192.0.2.1')).toBe(false);
    parts[0]!.clear();
    expect(other.tryEnter('192.0.2.1')).toBe(true);
    other.leave('192.0.2.1');
    expect(parts[1]!.size).toBe(0);
  });
});
