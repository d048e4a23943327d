/**
 * The few bytes before the first frame, which the network may cut as it likes.
 */
import { ProtocolError, ProtocolErrorCode } from '@chat/protocol';
import { decodePreface, PREFACE_BYTES, PROTOCOL_VERSION } from '@chat/protocol/frames';

export class PrefaceReader {
  #seen = new Uint8Array(0);

  /**
   * Takes a chunk.
   *
   * @returns what came behind the preface, `undefined` while it is not complete
   * @throws ProtocolError when it is none, or of a version that is too old
   */
  read(chunk: Uint8Array): Uint8Array | undefined {
    const seen = new Uint8Array(this.#seen.length + chunk.length);
    seen.set(this.#seen);
    seen.set(chunk, this.#seen.length);
    this.#seen = seen;
    const version = decodePreface(seen);
    if (version === undefined) return undefined;
    if (version < PROTOCOL_VERSION) {
      throw new ProtocolError(
        ProtocolErrorCode.VersionUnsupported,
        `the client speaks versions up to ${version}, this server speaks ${PROTOCOL_VERSION}`,
      );
    }
    return seen.subarray(PREFACE_BYTES);
  }
}
