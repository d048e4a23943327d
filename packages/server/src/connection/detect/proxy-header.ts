/**
 * The header of the PROXY protocol, versions 1 and 2: the first bytes by which a proxy says who the client is.
 *
 * Only the address of the client is taken from it. What is not whole yet is waited for; what can become no header is
 * told at its first wrong byte.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** What the first bytes of a connection are. */
export type ProxyHeader =
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong' }
  /** @see address - `undefined`: the proxy speaks for itself, as for a health check */
  | { readonly kind: 'whole'; readonly bytes: number; readonly address: string | undefined };

const MORE: ProxyHeader = { kind: 'more' };
const WRONG: ProxyHeader = { kind: 'wrong' };

const V1_TEXT = 'PROXY ';
const V1_START: Buffer = Buffer.from(V1_TEXT);
/** With its line end. */
const V1_MAX_BYTES = 107;

//      0                                  12        13       14       16
//      | 0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | version, | family, | bytes  | addresses and ports, then extensions
//      |                                  | command  | protocol| behind |
const V2_TEXT = '\r\n\r\n\0\r\nQUIT\n';
const V2_START: Buffer = Buffer.from(V2_TEXT);
const V2_COMMAND_OFFSET = 12;
const V2_FAMILY_OFFSET = 13;
const V2_LENGTH_OFFSET = 14;
const V2_HEADER_BYTES = 16;
/** Room for extensions that name a client certificate. */
const V2_MAX_BODY_BYTES = 4096;

/** Reads the header at the beginning of `bytes`. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (isStartOf(bytes, V1_START)) return readText(bytes);
  return isStartOf(bytes, V2_START) ? readBinary(bytes) : WRONG;
}

function isStartOf(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readText(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end === -1) return bytes.length < V1_MAX_BYTES ? MORE : WRONG;
  const [, family, source = '', target = '', ...ports] = bytes.toString('latin1', 0, end).split(' ');
  const whole = (address?: string): ProxyHeader => ({ kind: 'whole', bytes: end + 2, address });
  if (family === 'UNKNOWN') return whole();
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  const isRight = isAddress?.(source) && isAddress(target) && ports.length === 2 && ports.every(isPort);
  return isRight ? whole(source) : WRONG;
}

/** Without a zone, which means something on the proxy alone. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_HEADER_BYTES) return MORE;
  const length = bytes.readUInt16BE(V2_LENGTH_OFFSET);
  if (length > V2_MAX_BODY_BYTES) return WRONG;
  const command = bytes[V2_COMMAND_OFFSET]!;
  if (command !== Command.Local && command !== Command.Proxy) return WRONG;
  const end = V2_HEADER_BYTES + length;
  if (bytes.length < end) return MORE;
  const whole = (address?: string): ProxyHeader => ({ kind: 'whole', bytes: end, address });
  if (command === Command.Local) return whole();
  const body = bytes.subarray(V2_HEADER_BYTES, end);
  switch (bytes[V2_FAMILY_OFFSET]) {
    case Family.Unspecified:
    case Family.Unix:
      return whole();
    case Family.Tcp4:
      return body.length < 12 ? WRONG : whole(body.subarray(0, 4).join('.'));
    case Family.Tcp6:
      return body.length < 36 ? WRONG : whole(textOf(body.subarray(0, 16)));
    default:
      return WRONG;
  }
}

const Command = { Local: 0x20, Proxy: 0x21 } as const;
const Family = { Unspecified: 0x00, Tcp4: 0x11, Tcp6: 0x21, Unix: 0x31 } as const;

/** An IPv6 address as the system would write it. */
function textOf(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
