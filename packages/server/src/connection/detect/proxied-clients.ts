/**
 * Clients behind proxies that speak the PROXY protocol: once a proxy has named one, the connection is that of the client,
 * and so is the one within it that TLS is taken off from.
 */
import type { Socket } from 'node:net';
import { AddressRanges, plainAddress } from '../../limits/addresses/address-ranges.js';

export class ProxiedClients {
  readonly #proxies: AddressRanges;
  /** Addresses of clients, by the ends of the connection to their proxy. */
  readonly #clients = new Map<string, string>();

  /** @param trustedProxies addresses or ranges */
  constructor(trustedProxies: readonly string[]) {
    this.#proxies = new AddressRanges(trustedProxies, 'trustedProxies');
  }

  /** Whether what this address says of its clients is believed. */
  isProxy(address: string): boolean {
    return this.#proxies.has(address);
  }

  /** Makes the connection that of `client`; answers the address as it is counted. */
  name(socket: Socket, client: string): string {
    const address = plainAddress(client);
    const ends = endsOf(socket);
    this.#clients.set(ends, address);
    socket.once('close', () => this.#clients.delete(ends));
    setRemoteAddress(socket, address);
    return address;
  }

  /** The same for the connection within one that was named before. */
  nameInside(socket: Socket): void {
    const client = this.#clients.get(endsOf(socket));
    if (client !== undefined) setRemoteAddress(socket, client);
  }
}

/** Names a connection, and the one within it. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function setRemoteAddress(socket: Socket, address: string): void {
  Object.defineProperty(socket, 'remoteAddress', { value: address });
}
