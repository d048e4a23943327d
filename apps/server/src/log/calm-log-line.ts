/**
 * The last gate of the log: a line of JSON with nothing in it that a terminal obeys, wherever it came from. What a
 * stranger chose (an agent, a URL, the message of an error) may hold controls; JSON escapes those below U+0020 alone, and
 * who prints the line for people undoes that.
 */

// An escaped backslash is matched first: what stands behind it is no escape. Line ends (\n) of stacks have another form.
const OBEYED = /\\\\|\\u00[01][0-9a-f]|[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/gi;

/** The line with a replacement character in each of these places. */
export function calmLogLine(line: string): string {
  return line.replace(OBEYED, (found) => (found === '\\\\' ? found : '\uFFFD'));
}
