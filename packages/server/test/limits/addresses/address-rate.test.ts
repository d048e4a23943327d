import { describe, expect, it } from 'vitest';
import { AddressRate } from '../../../src/limits/addresses/address-rate.js';
import { SharedCounts } from '../../support/shared-counts.js';

const NOW = 1_700_000_000_000;

function charged(rate: AddressRate, address: string, times: number, now = NOW): number {
  return Array.from({ length: times }, () => rate.tryCharge(address, now)).filter(Boolean).length;
}

describe('AddressRate', () => {
  it('lets a burst through, then so many per second', () => {
    const rate = new AddressRate({ perSecond: 10, burst: 20 });
    expect(charged(rate, '192.0.2.1', 100)).toBe(21);
    expect(charged(rate, '192.0.2.1', 100, NOW + 1000)).toBe(10);
    expect(charged(rate, '192.0.2.1', 100, NOW + 61_000)).toBe(21);
  });

  it('counts each address by itself, and IPv6 by /64', () => {
    const rate = new AddressRate({ perSecond: 1, burst: 1 });
    expect(charged(rate, '192.0.2.1', 9)).toBe(2);
    expect(charged(rate, '::ffff:192.0.2.1', 9)).toBe(0);
    expect(charged(rate, '192.0.2.2', 9)).toBe(2);
    expect(charged(rate, '2001:db8::1', 9)).toBe(2);
    expect(charged(rate, '2001:db8::2', 9)).toBe(0);
  });

  it('counts what comes to other servers of the machine', () => {
    const table = new SharedCounts();
    const parts = [table.part(), table.part()];
    const rates = parts.map(
      (part) => new AddressRate({ perSecond: 10, burst: 20 }, (key) => part.open('connecting', key)),
    );
    expect(charged(rates[0]!, '192.0.2.1', 100)).toBe(21);
    expect(charged(rates[1]!, '192.0.2.1', 100)).toBe(1);
    // What was used at the other is learnt of now.
    for (const later of [60_000, 120_000]) for (const rate of rates) rate.expire(NOW + later);
    expect(parts.map(({ size }) => size)).toEqual([0, 0]);
  });

  it('does not limit Unix sockets, nor anybody without a limit, and remembers none of them', () => {
    const rate = new AddressRate({ perSecond: 1, burst: 1 });
    expect(charged(rate, '', 9)).toBe(9);
    expect(rate.size).toBe(0);
    const none = new AddressRate({ perSecond: Number.POSITIVE_INFINITY, burst: 1 });
    expect(charged(none, '192.0.2.1', 9)).toBe(9);
    expect(none.size).toBe(0);
  });

  it('forgets addresses once they have their burst again', () => {
    const rate = new AddressRate({ perSecond: 10, burst: 20 });
    for (let i = 0; i < 100; i++) rate.tryCharge(`192.0.2.${i}`, NOW);
    charged(rate, '192.0.2.1', 100);
    expect(rate.size).toBe(100);
    rate.expire(NOW + 1000);
    expect(rate.size).toBe(1);
    rate.expire(NOW + 3000);
    expect(rate.size).toBe(0);
  });
});
