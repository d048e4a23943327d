/** The client libraries of NATS, which are there only where somebody installed them, and the server behind them. */
import type * as JetStream from '@nats-io/jetstream';
import type * as Transport from '@nats-io/transport-node';
import { ServerError, ServerErrorCode } from '../errors.js';

export interface NatsLibrary {
  readonly transport: typeof Transport;
  readonly jetstream: typeof JetStream;
}

/** Earlier servers lost streams when they were killed. */
const OLDEST_SERVER = [2, 12, 0] as const;

const INSTALL = 'npm install @nats-io/transport-node @nats-io/jetstream';

/** @throws ServerError `ERR_SERVER_NATS_MISSING` */
export async function loadNats(): Promise<NatsLibrary> {
  try {
    const [transport, jetstream] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/jetstream'),
    ]);
    return { transport, jetstream };
  } catch (cause) {
    throw new ServerError(ServerErrorCode.NatsMissing, `the client of NATS is not installed: ${INSTALL}`, {
      cause,
    });
  }
}

/** @throws ServerError `ERR_SERVER_NATS_VERSION` */
export function assertServerVersion(version: string): void {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  const differing = OLDEST_SERVER.findIndex((wanted, i) => parts[i] !== wanted);
  if (differing === -1 || parts[differing]! > OLDEST_SERVER[differing]!) return;
  const message = `the NATS server has version ${version}, and ${OLDEST_SERVER.join('.')} or later is needed`;
  throw new ServerError(ServerErrorCode.NatsVersion, message);
}
