/** Characters that end a line, or turn its direction, and halves of surrogate pairs. */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u;

/** Whether a text is one line that shows what it says: people are shown it as words of the server. */
export function isLine(text: string): boolean {
  return !UNSEEN.test(text);
}
