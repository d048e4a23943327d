/**
 * Turns of a loop that polls, with a turn of the event loop now and then: timers, signals and the
 * end of the process must not wait for a message.
 */

const BREATH_MS = 2;
/** What is due is seen this many polls late at most: well below the shortest round trip. */
const POLLS_BETWEEN_LOOKS = 16;

/** Polls until `until` answers true; `until` is asked every few polls and after every message. */
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
