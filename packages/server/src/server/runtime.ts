/**
 * The runtimes that a server works in, asked at once: otherwise the first WebSocket would tell, by ending the process.
 */
import { ServerError, ServerErrorCode } from '../errors.js';

/**
 * Refuses Bun, which puts its own WebSocket in the place of the `ws` library: it takes no socket that is open already,
 * and has no frames to write to one. Node and Deno have what is needed.
 *
 * @throws ServerError `ERR_SERVER_UNSUPPORTED_RUNTIME`
 */
export function assertRuntime(versions: Readonly<Record<string, string | undefined>>): void {
  if (versions.bun === undefined) return;
  throw new ServerError(
    ServerErrorCode.UnsupportedRuntime,
    `Bun ${versions.bun} is not supported by @chat/server, whose WebSockets need the ws library as it is: use Node or Deno`,
  );
}
