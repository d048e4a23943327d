/** The words over which a publisher and a sleeper race in waiting.test.ts. */
export const RACE_BYTES = 4096;
/** How much was published. */
export const TAIL = 0;
/** How often it was rung for. */
export const BELL = 64;
/** What was published, rings included. */
export const DONE = 96;
/** What the sleeper has seen. */
export const ACK = 128;
