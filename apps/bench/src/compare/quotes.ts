/**
 * Figures of a report as they are quoted in sentences: each asks for one number by the line that it belongs to, and
 * gets its text, or `n/a` where that was not measured.
 */
import { formatBytes, formatCount, formatNs } from '../units.js';
import type { CodeCount, CompareReport, TransportFigure } from './figures.js';
import { tooBusy } from './ranking.js';

/** Quotes from one report. */
export class Quotes {
  readonly #report: CompareReport;

  constructor(report: CompareReport) {
    this.#report = report;
  }

  /** Half of the round trips are back within this. */
  roundTrip(id: string): string {
    return formatNs(this.#find(id)?.roundTrip?.summary.p50Ns);
  }

  /** Whether half of the polled round trips were back within microseconds, in a run that can tell. */
  microseconds(): boolean {
    const row = this.#find('shm-channel-polled');
    const p50 = row?.roundTrip?.summary.p50Ns;
    return (
      row !== undefined && p50 !== undefined && p50 < 100_000 && tooBusy(this.#report, row) === undefined
    );
  }

  /** Whether more than a million messages a second went through a channel. */
  millions(): boolean {
    const sizes = this.#find('shm-channel-polled')?.throughput ?? [];
    return sizes.some(({ messagesPerSecond }) => messagesPerSecond.median >= 1e6);
  }

  /** Half of the round trips after a silence are back within this. */
  wakeUp(id: string): string {
    return formatNs(this.#find(id)?.wakeUp?.summary.p50Ns);
  }

  /** The most messages a second, at the size at which there are most. */
  mostMessages(id: string): string {
    const sizes = this.#find(id)?.throughput ?? [];
    const rates = sizes.map(({ messagesPerSecond }) => messagesPerSecond.median);
    return `${formatCount(rates.length > 0 ? Math.max(...rates) : undefined)} messages/s`;
  }

  /** The most bytes a second, at the size at which there are most. */
  mostBytes(id: string): string {
    const sizes = this.#find(id)?.throughput ?? [];
    const rates = sizes.map(({ bytesPerSecond }) => bytesPerSecond.median);
    return `${formatBytes(rates.length > 0 ? Math.max(...rates) : undefined)}/s`;
  }

  /** CPU time of both ends, and of the server between them, for one message of 64 bytes. */
  cpuPerMessage(id: string): string {
    const cpu = this.#find(id)?.throughput.find(({ bytes }) => bytes === 64)?.cpuNsPerMessage;
    return formatNs(cpu?.near === undefined ? undefined : cpu.near + (cpu.server ?? 0) + (cpu.far ?? 0));
  }

  /** CPU of all processes of a silent line; 100 % is one core. */
  idleCpu(id: string): string {
    return formatIdleCpu(this.#find(id));
  }

  /** How much code a part is, and how many names its users can import. */
  code(part: string): string {
    const count = this.#report.code.find((row: CodeCount) => row.part === part);
    return count ? `${count.codeLines} lines, ${count.exports} names` : 'not counted';
  }

  /** Deliveries to the largest audience of the chat that was measured. */
  fanOut(): string {
    const rows = this.#report.fanout.windows.filter((row) => row.target === 'chat');
    const largest = rows.toSorted((left, right) => right.members - left.members)[0];
    if (!largest) return 'not measured';
    return `${formatCount(largest.deliveriesPerSecond.median)} deliveries/s to ${largest.members} members`;
  }

  /** Deliveries to the most readers of one log in shared memory that were measured. */
  logFanOut(): string {
    const largest = this.#report.logReaders.toSorted((left, right) => right.readers - left.readers)[0];
    if (!largest) return 'not measured';
    return `${formatCount(largest.deliveriesPerSecond.median)} deliveries/s to ${largest.readers} readers of one log`;
  }

  /** Memory of one idle connection, or of one reader. */
  memory(target: string): string {
    return formatBytes(this.#report.memory.find((row) => row.target === target)?.perConnectionBytes);
  }

  #find(id: string): TransportFigure | undefined {
    return this.#report.transports.find((row) => row.id === id);
  }
}

/** `0.5 %`: CPU of all processes of a silent line; 100 % is one core. */
export function formatIdleCpu(row: TransportFigure | undefined): string {
  const idle = row?.idleCpuMsPerSecond?.median;
  return idle === undefined ? 'n/a' : `${(idle / 10).toFixed(1)} %`;
}
