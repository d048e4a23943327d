/** By what somebody is known who guesses secrets: its address, or the network that it has. */
import { isIPv6 } from 'node:net';

/** Who has an IPv6 address has its /64. */
export function guesserKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.split('::');
  const groups = left.split(':');
  const all =
    right === undefined
      ? groups
      : [
          ...groups,
          ...Array(Math.max(0, 8 - groups.length - right.split(':').length)).fill('0'),
          ...right.split(':'),
        ];
  return all
    .slice(0, 4)
    .map((group) => group.toLowerCase().replace(/^0+(?=.)/, '') || '0')
    .join(':');
}
