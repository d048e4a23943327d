/**
 * The line dialect, for those who speak it themselves: lines out of a stream, and messages and notices as lines.
 *
 * @packageDocumentation
 */
export { DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_LINES_PER_MESSAGE } from './limits.js';
export { LineDecoder, type LineDecoderOptions } from './lines/decoder.js';
export {
  formatMessageLines,
  formatNoticeLine,
  isQuitLine,
  parsePasswordLine,
  parseUserNameLine,
  printable,
} from './lines/dialect.js';
export { TIMING_MARK_ANSWER } from './lines/telnet.js';
