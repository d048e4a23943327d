/** The header of the PROXY protocol, whole, byte by byte, and as nobody should send it. */
import { describe, expect, it } from 'vitest';
import { readProxyHeader } from '../../../src/connection/detect/proxy-header.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const GOOD: readonly (readonly [string, Buffer, string | undefined])[] = [
  ['TCP4', Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n'), '192.0.2.1'],
  ['TCP6', Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1 0\r\n'), '2001:db8::1'],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with more', Buffer.from('PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n'), undefined],
  ['v2 TCP4', hex(`${SIGNATURE} 21 11 000c c0000201 c6336401 dc04 01bb`), '192.0.2.1'],
  [
    'v2 TCP6',
    hex(
      `${SIGNATURE} 21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb`,
    ),
    '2001:db8::1',
  ],
  [
    'v2 with extensions',
    hex(`${SIGNATURE} 21 11 0011 c0000201 c6336401 dc04 01bb 04 0002 0000`),
    '192.0.2.1',
  ],
  ['v2 LOCAL', hex(`${SIGNATURE} 20 00 0000`), undefined],
  ['v2 of a Unix socket', hex(`${SIGNATURE} 21 31 0000`), undefined],
  ['v2 unspecified', hex(`${SIGNATURE} 21 00 0003 010203`), undefined],
];

describe('readProxyHeader', () => {
  it.each(GOOD)('reads %s, whole and byte by byte, and leaves what follows', (_what, header, address) => {
    const whole = { kind: 'whole', bytes: header.length, address };
    expect(readProxyHeader(header)).toEqual(whole);
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')]))).toEqual(whole);
    for (let cut = 0; cut < header.length; cut++) {
      expect(readProxyHeader(header.subarray(0, cut))).toEqual({ kind: 'more' });
    }
  });

  it.each([
    ['another protocol', Buffer.from('GET /')],
    ['small letters', Buffer.from('proxy TCP4')],
    ['an address of the other family', Buffer.from('PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n')],
    ['no address', Buffer.from('PROXY TCP4 localhost 192.0.2.1 1 2\r\n')],
    ['a zone', Buffer.from('PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n')],
    ['a port too large', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n')],
    ['a port with a zero before it', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n')],
    ['a port less', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n')],
    ['a field more', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n')],
    ['two spaces', Buffer.from('PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n')],
    ['another transport', Buffer.from('PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n')],
    ['no end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['a NUL', Buffer.from('PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n')],
    ['v2 of another version', hex(`${SIGNATURE} 11 11 000c c0000201 c6336401 dc04 01bb`)],
    ['v2 of another command', hex(`${SIGNATURE} 22 11 000c c0000201 c6336401 dc04 01bb`)],
    ['v2 datagrams', hex(`${SIGNATURE} 21 12 000c c0000201 c6336401 dc04 01bb`)],
    ['v2 shorter than its addresses', hex(`${SIGNATURE} 21 11 000b c0000201 c6336401 dc04 01`)],
    ['v2 of 64 KB', hex(`${SIGNATURE} 21 11 ffff`)],
    ['v2 with a wrong signature', hex('0d0a0d0a000d0a515549540d')],
  ])('is wrong with %s', (_what, bytes) => {
    expect(readProxyHeader(bytes)).toEqual({ kind: 'wrong' });
  });
});
