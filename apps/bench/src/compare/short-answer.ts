/** The short answer: what the whole report comes down to, in three sentences made of its own figures. */
import { formatNs, formatNumber } from '../units.js';
import type { CompareReport } from './figures.js';

/** Empty when one of the three round trips that it speaks of was not measured. */
export function shortAnswer({ transports }: CompareReport): string {
  const p50 = (id: string): number | undefined =>
    transports.find((row) => row.id === id)?.roundTrip?.summary.p50Ns;
  const polled = p50('shm-channel-polled');
  const woken = p50('shm-channel');
  const unix = p50('unix');
  if (polled === undefined || woken === undefined || unix === undefined) return '';
  return (
    `Shared memory is fast as long as both sides stay awake: a round trip of ${formatNs(polled)} while they poll, against ${formatNs(unix)} over a ` +
    `Unix socket, at the price of a core each. When they sleep between messages it takes ${formatNs(woken)}, ${formatNumber(woken / unix)} times the socket's, since it ` +
    'is a socket that wakes them. So: shared memory between programs of one machine that are busy with each other, sockets for everything else.'
  );
}
