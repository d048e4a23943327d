/**
 * On what was measured: without it a number says nothing. Also whether the machine was quiet, since a busy
 * one measures its other work.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';

/** The machine, the software and the commit. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly governor: string;
  readonly node: string;
  readonly commit: string;
  readonly date: string;
}

/** More of the machine than this in the hands of others is called noise. */
const NOISY_SHARE = 0.1;

/** Whether others used so much of the machine that figures say little. */
export function isNoisy(otherWork: number | undefined): otherWork is number {
  return otherWork !== undefined && otherWork > NOISY_SHARE;
}

/** A warning where the machine was noisy; nothing elsewhere. */
export function formatNoise(otherWork: number | undefined): string[] {
  if (!isNoisy(otherWork)) return [];
  const percent = Math.round(otherWork * 100);
  return [
    `The machine was noisy: other programs used up to ${percent} % of it between the measurements. Tails and throughputs are worse than they could be.`,
  ];
}

/** Describes where this process runs. */
export function describeMachine(date: Date): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() || 'unknown',
    cores: cores.length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    governor: readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor') ?? 'not reported',
    node: process.version,
    commit: describeCommit(),
    date: date.toISOString(),
  };
}

/** One line of it. */
export function formatMachine(machine: Machine): string {
  const { cpu, cores, memoryBytes, system, governor, node, commit } = machine;
  const gigabytes = Math.round(memoryBytes / 1024 ** 3);
  return `${cpu}, ${cores} cores, ${gigabytes} GiB, ${system}, governor ${governor}, Node ${node}, commit ${commit}`;
}

/** Reads how busy all cores were, as a share from 0 to 1, while nothing of ours ran for `durationMs`. */
export async function measureOtherWork(durationMs = 300): Promise<number | undefined> {
  const before = readBusy();
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  const after = readBusy();
  if (!before || !after || after.total === before.total) return undefined;
  return (after.busy - before.busy) / (after.total - before.total);
}

/** Reads the sum of all cores from the text of `/proc/stat`. */
export function parseBusy(stat: string): { busy: number; total: number } | undefined {
  const fields = /^cpu\s+(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number);
  if (!fields || fields.length < 5) return undefined;
  // user nice system idle iowait irq softirq steal; guest time is counted in user already.
  const total = fields.slice(0, 8).reduce((sum, value) => sum + value, 0);
  const idle = fields[3]! + fields[4]!;
  return { busy: total - idle, total };
}

function readBusy(): { busy: number; total: number } | undefined {
  const stat = readText('/proc/stat');
  return stat === undefined ? undefined : parseBusy(stat);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function describeCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const dirty = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : ' with local changes';
    return git('rev-parse', '--short', 'HEAD') + dirty;
  } catch {
    return 'unknown';
  }
}
