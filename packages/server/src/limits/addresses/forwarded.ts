/**
 * The client behind a proxy, from its `X-Forwarded-For`.
 *
 * Every proxy on the way adds the address that it was spoken to from at the right end. So the list is read from the
 * right, for as long as whoever wrote an item is trusted; what is further left could have been written by anybody.
 */
import { isIP } from 'node:net';
import { type AddressRanges, plainAddress } from './address-ranges.js';

/**
 * The address to hold responsible for a request.
 *
 * @param peer address of the connection itself
 * @param forwardedFor the header, as Node gives it
 * @returns `peer` itself unless it is one of `trusted`
 */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  trusted: AddressRanges,
): string {
  let address = plainAddress(peer);
  const items = forwardedFor?.split(',') ?? [];
  while (trusted.has(address)) {
    const item = items.pop();
    const next = item === undefined ? undefined : addressOf(item.trim());
    if (next === undefined) break;
    address = next;
  }
  return address;
}

/** `192.0.2.1`, `2001:db8::1`, and with a port behind it, as some proxies write. `undefined` for what is no address. */
function addressOf(item: string): string | undefined {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(item)?.[1] ?? /^([\d.]+):\d+$/.exec(item)?.[1] ?? item;
  return isIP(bare) ? plainAddress(bare) : undefined;
}
