/** Lets a turn of the event loop end, so that fan-out and what follows from it has happened. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Lets turns end until `condition` holds: for what the operating system does in its own time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
