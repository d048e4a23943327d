import { describe, expect, it } from 'vitest';
import { ServerErrorCode } from '../../src/errors.js';
import { AddressRanges } from '../../src/limits/address-ranges.js';

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
