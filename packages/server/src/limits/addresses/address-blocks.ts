/**
 * What counts as one address. IPv4 counts by itself, also in IPv6 form. IPv6 counts by /64, since a household or a
 * machine has a whole /64 to choose addresses from; and again, with more leave, by the blocks that are given out to
 * homes (/56) and to sites (/48), whose owners choose among many /64.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { plainAddress } from './address-ranges.js';

/** A block of addresses that is limited together. */
export interface AddressBlock {
  readonly key: string;
  /** How many times the limit of one address the block has. */
  readonly factor: number;
}

const HOME_FACTOR = 4;
const SITE_FACTOR = 16;

/** The blocks that an address is counted in, the smallest first. None for what is no address, as of a Unix socket. */
export function addressBlocks(address: string): readonly AddressBlock[] {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return [{ key: plain, factor: 1 }];
  if (!isIPv6(plain)) return [];
  const groups = firstGroups(plain);
  const [a, b, c, d] = groups.map((group) => group.toString(16));
  return [
    { key: `${a}:${b}:${c}:${d}`, factor: 1 },
    { key: `${a}:${b}:${c}:${(groups[3]! & 0xff00).toString(16)}/56`, factor: HOME_FACTOR },
    { key: `${a}:${b}:${c}/48`, factor: SITE_FACTOR },
  ];
}

/** The smallest of {@link addressBlocks}; `undefined` for what is no address. */
export function addressKey(address: string): string | undefined {
  return addressBlocks(address)[0]?.key;
}

/** The first four groups of an IPv6 address. */
function firstGroups(address: string): number[] {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups.slice(0, 4).map((group) => Number.parseInt(group, 16));
}
