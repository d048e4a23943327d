/** Sets of addresses as operators write them: single ones and CIDR ranges, IPv4 and IPv6. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';
import { ServerError, ServerErrorCode } from '../../errors.js';

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
      const plain = plainAddress(address);
      if (plain !== address && (prefix === undefined || Number(prefix) >= MAPPED_BITS)) {
        this.#list.addSubnet(plain, prefix === undefined ? 32 : Number(prefix) - MAPPED_BITS, 'ipv4');
      } else if (prefix === undefined) this.#list.addAddress(address, family);
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

/** Whether a text is meant as a range of addresses: names may have a slash as well. */
export function isRange(text: string): boolean {
  const slash = text.indexOf('/');
  return slash > 0 && isIP(text.slice(0, slash)) > 0;
}

/** What IPv4 in IPv6 form has before the 32 bits of IPv4. */
const MAPPED_BITS = 96;
/** RFC 4291, 2.5.5.2, in any way to write it. */
const MAPPED = /^(?:::|(?:0{1,4}:){1,4}:|(?:0{1,4}:){5})ffff:(?:([\d.]+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i;

/** An address as it is counted: IPv4 in IPv6 form is IPv4. */
export function plainAddress(address: string): string {
  // Most have no colon at all.
  const found = address.includes(':') ? MAPPED.exec(address) : null;
  if (!found) return address;
  const [, dotted, high = '', low = ''] = found;
  if (dotted !== undefined) return isIPv4(dotted) ? dotted : address;
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join('.');
}

/** The address of the other side of a socket, as it is counted; empty for a Unix socket. */
export function peerAddress(socket: { readonly remoteAddress?: string | undefined }): string {
  return plainAddress(socket.remoteAddress ?? '');
}
