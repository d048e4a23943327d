import type { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { reachableAddresses } from '../src/reachable.js';

type Interfaces = ReturnType<typeof networkInterfaces>;

const card = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
  ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as const;

const machine: Interfaces = {
  lo: [card('127.0.0.1', 'IPv4', true), card('::1', 'IPv6', true)],
  eth0: [card('192.0.2.5', 'IPv4'), card('2001:db8::5', 'IPv6'), card('fe80::1', 'IPv6')],
};

describe('reachableAddresses', () => {
  it.each([
    ['0.0.0.0', ['localhost:7', '192.0.2.5:7']],
    ['::', ['localhost:7', '192.0.2.5:7', '[2001:db8::5]:7']],
    ['127.0.0.1', ['127.0.0.1:7']],
    ['::1', ['[::1]:7']],
  ])('names the ways to a server that listens on %s', (host, expected) => {
    expect(reachableAddresses({ kind: 'tcp', host, port: 7, tls: false }, machine)).toEqual(expected);
  });

  it('names the path of a Unix socket', () => {
    expect(reachableAddresses({ kind: 'unix', path: '/run/chat.sock' }, machine)).toEqual([
      'unix:/run/chat.sock',
    ]);
  });
});
