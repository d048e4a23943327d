/**
 * What one address may have at a time, and how fast: connections, sessions, sessions that are away, rooms.
 *
 * A refusal is told to the operator, with the option that refused.
 */
import type { ResolvedOptions } from '../options/options.js';
import { AddressLimit } from './addresses/address-limit.js';
import { AddressRanges } from './addresses/address-ranges.js';
import { AddressRate } from './addresses/address-rate.js';
import type { RefusalLog } from './refusal-log.js';
import { rateOf } from './token-bucket.js';

/** What an operator should think of first. */
const SHARED_ADDRESS =
  ' are refused; if many people share it (a proxy, Docker, a school), see trustedProxies and exemptAddresses';

export class AddressLimits {
  readonly connections: AddressLimit;
  /** Sessions that are away: they are kept for the return of their client. */
  readonly away: AddressLimit;
  /** Sessions, those away included. */
  readonly sessions: AddressLimit;
  readonly roomsMade: AddressLimit;
  readonly #connecting: AddressRate;
  readonly #options: ResolvedOptions;
  readonly #refusals: RefusalLog;

  constructor(options: ResolvedOptions, refusals: RefusalLog) {
    this.#options = options;
    this.#refusals = refusals;
    const exempt = [
      new AddressRanges(options.exemptAddresses, 'exemptAddresses'),
      new AddressRanges(options.trustedProxies, 'trustedProxies'),
    ];
    const counts = options.addressCounts;
    this.connections = new AddressLimit(() => options.maxConnectionsPerAddress, exempt, undefined, {
      counts,
      what: 'connections',
    });
    this.away = new AddressLimit(
      () => options.maxConnectionsPerAddress,
      exempt,
      // Half of the places is left to newcomers, whatever tears its connections without a limit.
      () => Math.max(options.maxConnectionsPerAddress, Math.floor(options.maxSessions / 2)),
      { counts, what: 'away' },
    );
    this.sessions = new AddressLimit(() => options.maxSessionsPerAddress, exempt);
    this.roomsMade = new AddressLimit(() => options.maxRoomsPerAddress, exempt, undefined, {
      counts,
      what: 'rooms',
    });
    this.#connecting = new AddressRate(
      rateOf(
        () => options.maxConnectionsPerSecondPerAddress,
        () => Math.max(options.maxConnectionsPerAddress, options.maxConnectionsPerSecondPerAddress),
      ),
      (key) => counts.open('connecting', key),
    );
  }

  /** Counts a connection from an address; false, and not counted, when there are too many or they come too fast. */
  tryConnect(address: string): boolean {
    if (this.connections.isExempt(address)) return true;
    const { maxConnectionsPerAddress, maxConnectionsPerSecondPerAddress, clock } = this.#options;
    if (!this.#connecting.tryCharge(address, clock.monotonic())) {
      const message = `more than ${maxConnectionsPerSecondPerAddress} new connections a second from one address`;
      this.#refusals.refused('maxConnectionsPerSecondPerAddress', address, message + SHARED_ADDRESS);
      return false;
    }
    if (this.connections.tryEnter(address)) return true;
    const message = `more than ${maxConnectionsPerAddress} connections of one address`;
    this.#refusals.refused('maxConnectionsPerAddress', address, message + SHARED_ADDRESS);
    return false;
  }

  /** Tells the operator that an address has as many sessions as it may. */
  refuseSession(address: string): void {
    const message = `more than ${this.#options.maxSessionsPerAddress} sessions of one address`;
    this.#refusals.refused('maxSessionsPerAddress', address, message + SHARED_ADDRESS);
  }

  /** Forgets rates that are over. To be called now and then. */
  expire(now: number): void {
    this.#connecting.expire(now);
  }
}
