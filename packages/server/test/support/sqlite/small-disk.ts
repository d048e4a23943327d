/** A file system of its own, with little space: for what happens when a disk is full. Linux, and root. */
import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { dataFolder } from './folder.js';

/** Whether this machine lets a test have one. */
export function hasSmallDisks(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && tryMount();
}

/** Mounts one of that many MiB, until the test ends. */
export function smallDisk(megabytes: number): string {
  const folder = dataFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', ['-l', folder]));
  return folder;
}

/** Has nobody write there any more. */
export function makeReadonly(folder: string): void {
  execFileSync('mount', ['-o', 'remount,ro', folder]);
}

function tryMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
