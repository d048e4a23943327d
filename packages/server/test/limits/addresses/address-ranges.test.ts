import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../../src/errors.js';
import { AddressRanges, peerAddress, plainAddress } from '../../../src/limits/addresses/address-ranges.js';

describe('AddressRanges', () => {
  it('has single addresses and whole ranges, also of IPv4 in IPv6 form', () => {
    const ranges = new AddressRanges(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'], 'exemptAddresses');
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8:5::1', '192.0.2.7']) {
      expect(ranges.has(address), address).toBe(true);
    }
    for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '', 'localhost']) {
      expect(ranges.has(address), address).toBe(false);
    }
    expect(new AddressRanges([], 'exemptAddresses').has('10.1.2.3')).toBe(false);
  });

  it.each(['', 'localhost', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/8/8x', '::/129', '10.0.0.0/-1'])(
    'refuses %j as a range, and names the option',
    (range) => {
      expect(() => new AddressRanges([range], 'trustedProxies')).toThrow(
        expect.objectContaining({
          code: ServerErrorCode.BadOption,
          message: `trustedProxies must have addresses or ranges, got ${range}`,
        }),
      );
    },
  );
});

describe('IPv4 in IPv6 form', () => {
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:c000:0201', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.256', '::ffff:192.0.2.256'],
    ['::fffe:c000:201', '::fffe:c000:201'],
    ['2001:db8::ffff:c000:201', '2001:db8::ffff:c000:201'],
    ['192.0.2.1', '192.0.2.1'],
    ['', ''],
  ])('%s is counted as %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
    expect(peerAddress({ remoteAddress: address })).toBe(plain);
  });

  it('is a range of IPv4 as well', () => {
    const ranges = new AddressRanges(['::ffff:10.0.0.0/104', '::ffff:192.0.2.1'], 'exemptAddresses');
    const has = (address: string): boolean => ranges.has(address);
    expect(['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1', '11.0.0.1', '192.0.2.2'].map(has)).toEqual([
      ...[true, true, true],
      ...[false, false],
    ]);
  });
});
