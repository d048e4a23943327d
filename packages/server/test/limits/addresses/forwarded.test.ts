import { describe, expect, it } from 'vitest';
import { AddressRanges } from '../../../src/limits/addresses/address-ranges.js';
import { clientAddress } from '../../../src/limits/addresses/forwarded.js';

const trusted = new AddressRanges(['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'], 'trustedProxies');

describe('clientAddress', () => {
  it.each([
    ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:127.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['127.0.0.1', '::ffff:198.51.100.7', '198.51.100.7'],
    ['127.0.0.1', ' 203.0.113.9 ,198.51.100.7, 10.1.2.3', '198.51.100.7'],
    ['2001:db8:1::5', '2001:db8:2::9', '2001:db8:2::9'],
    ['127.0.0.1', '[2001:db8:2::9]:4711', '2001:db8:2::9'],
    ['127.0.0.1', '[2001:db8:2::9]', '2001:db8:2::9'],
    ['127.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    // All are proxies: the farthest one that is known.
    ['127.0.0.1', '10.0.0.2, 10.0.0.1', '10.0.0.2'],
    // What is no address was not written by a proxy that is to be believed.
    ['127.0.0.1', '198.51.100.7, unknown', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7, unknown, 10.0.0.1', '10.0.0.1'],
    ['127.0.0.1', '198.51.100.7,', '127.0.0.1'],
    ['', '198.51.100.7', ''],
  ])('holds responsible, for %s with %j, %s', (peer, forwardedFor, responsible) => {
    expect(clientAddress(peer, forwardedFor, trusted)).toBe(responsible);
  });

  it('reads a long list no further than to the first stranger', () => {
    const forged = Array(10_000).fill('10.0.0.1').join(',');
    expect(clientAddress('127.0.0.1', `${forged},198.51.100.7`, trusted)).toBe('198.51.100.7');
  });
});
