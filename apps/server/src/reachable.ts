/**
 * The addresses that a user reads out to others: "note server IP and port".
 */
import { networkInterfaces } from 'node:os';
import type { ListeningAddress } from '@chat/server';

type Interfaces = ReturnType<typeof networkInterfaces>;

/** One line for each way to reach a listener, this machine's own first. */
export function reachableAddresses(
  address: ListeningAddress,
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  if (address.kind === 'unix') return [`unix:${address.path}`];
  const isWildcard = address.host === '0.0.0.0' || address.host === '::';
  const hosts = isWildcard
    ? ['localhost', ...externalHosts(interfaces, address.host === '::')]
    : [address.host];
  return hosts.map((host) => `${host.includes(':') ? `[${host}]` : host}:${address.port}`);
}

function externalHosts(interfaces: Interfaces, ipv6: boolean): string[] {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, address }) => {
      if (internal || address.startsWith('fe80:')) return false;
      return family === 'IPv4' || ipv6;
    })
    .map(({ address }) => address);
}
