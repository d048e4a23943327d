import type { Socket } from 'node:net';

/** Lets a turn of the event loop end, so that fan-out and what follows from it has happened. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Lets turns end until `condition` holds: for what the operating system does in its own time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Waits until the socket is closed, which it may be already: then no event comes any more. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}
