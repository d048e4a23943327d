/**
 * Turns of a loop that asks all the time, with a turn of the event loop now and then: timers, signals and the
 * end of the process must not wait for a message.
 */

const BREATH_MS = 2;
const POLLS_BETWEEN_LOOKS = 256;

/** Polls until `until` answers true; it is asked every few hundred polls and after every message. */
export async function spin(poll: () => boolean, until: () => boolean): Promise<void> {
  while (!until()) {
    const breathAt = performance.now() + BREATH_MS;
    do {
      for (let i = 0; i < POLLS_BETWEEN_LOOKS; i++) if (poll()) break;
      if (until()) return;
    } while (performance.now() < breathAt);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
