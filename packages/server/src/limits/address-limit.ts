/**
 * How many connections one address may hold. IPv6 counts by /64, since a household or a machine has a whole
 * /64 to choose addresses from; IPv4 in IPv6 form counts as IPv4.
 */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { ServerError, ServerErrorCode } from '../errors.js';

export class AddressLimit {
  readonly #maxPerAddress: number;
  readonly #exempt = new BlockList();
  readonly #counts = new Map<string, number>();

  /**
   * @param exempt addresses or CIDR ranges that are not limited
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when one of them is neither
   */
  constructor(maxPerAddress: number, exempt: readonly string[]) {
    this.#maxPerAddress = maxPerAddress;
    for (const range of exempt) {
      const [address = '', prefix, ...rest] = range.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      const bits = family === 'ipv6' ? 128 : 32;
      const isPrefix = prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= bits);
      if (!isIP(address) || !isPrefix || rest.length > 0) {
        const message = `exemptAddresses must have addresses or ranges, got ${range}`;
        throw new ServerError(ServerErrorCode.BadOption, message);
      }
      if (prefix === undefined) this.#exempt.addAddress(address, family);
      else this.#exempt.addSubnet(address, Number(prefix), family);
    }
  }

  /** Counts a connection; false, and not counted, when the address holds as many as it may. */
  tryEnter(address: string): boolean {
    const key = this.#key(address);
    if (key === undefined) return true;
    const count = this.#counts.get(key) ?? 0;
    if (count >= this.#maxPerAddress) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  /** Takes back one {@link AddressLimit.tryEnter} that answered true. */
  leave(address: string): void {
    const key = this.#key(address);
    if (key === undefined) return;
    const count = this.#counts.get(key);
    if (count === undefined) return;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }

  /** `undefined` for what is not limited: Unix sockets and exempt ranges. */
  #key(address: string): string | undefined {
    const plain = address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
    if (isIPv4(plain)) return this.#exempt.check(plain, 'ipv4') ? undefined : plain;
    if (isIPv6(plain)) return this.#exempt.check(plain, 'ipv6') ? undefined : prefix64(plain);
    return undefined;
  }
}

/** The first four groups of an IPv6 address, written out. */
function prefix64(address: string): string {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
