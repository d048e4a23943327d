/** Sets of addresses as operators write them: single ones and CIDR ranges, IPv4 and IPv6. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { ServerError, ServerErrorCode } from '../errors.js';

export class AddressRanges {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /**
   * @param option named in the error
   * @throws ServerError `ERR_SERVER_BAD_OPTION` when one of `ranges` is neither an address nor a range
   */
  constructor(ranges: readonly string[], option: string) {
    this.#isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [address = '', prefix, ...rest] = range.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      const bits = family === 'ipv6' ? 128 : 32;
      const isPrefix = prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) <= bits);
      if (!isIP(address) || !isPrefix || rest.length > 0) {
        const message = `${option} must have addresses or ranges, got ${range}`;
        throw new ServerError(ServerErrorCode.BadOption, message);
      }
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether `address` is one of them, also when it is IPv4 in IPv6 form. */
  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const plain = plainAddress(address);
    if (isIPv4(plain)) return this.#list.check(plain, 'ipv4');
    return isIPv6(plain) && this.#list.check(plain, 'ipv6');
  }
}

/** An address as it is counted: IPv4 in IPv6 form is IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}
