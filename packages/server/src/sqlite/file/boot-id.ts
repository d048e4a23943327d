/** Which start of the machine this is: after another one, what was not flushed to the disk may be gone. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

/** The moment of the start is known to this many seconds only, where the system has no name for it. */
const RESOLUTION_SECONDS = 60;

/** A name without spaces. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return `${Math.round((Date.now() / 1000 - uptime()) / RESOLUTION_SECONDS)}`;
  }
}
