/** How HTTP on the chat port behaves, and whose pages may use the server. */
import type { RequestListener } from 'node:http';

/** How HTTP on the chat port behaves. */
export interface HttpOptions {
  /** Takes requests that the server does not answer itself (`/healthz`, `/readyz`, `/ws`). */
  readonly handler?: RequestListener;
  /** Origins, beside the server's own host, whose pages may connect. `'*'` allows any. @defaultValue [] */
  readonly allowedOrigins?: readonly string[];
  /**
   * Host names under which pages may use this server: `chat.example.org`, `*.example.org`, `'*'`. Addresses, loopback
   * and the name of the machine always may. An empty list lets in what DNS rebinding cannot reach, see the README.
   * @defaultValue []
   */
  readonly allowedHosts?: readonly string[];
  /** How long a connection may be quiet between two requests; longer than a load balancer keeps one. @defaultValue 75000 */
  readonly keepAliveTimeoutMs?: number;
}
