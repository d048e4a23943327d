import { expect, it } from 'vitest';
import { openSocket } from '../../../src/connection/transports/tcp.js';
import { connect } from '../../../src/index.js';
import { certificate } from '../../support/certificate.js';
import { deadPort, listenTcp, listenTls, listenUnix, socketPath } from '../../support/peers.js';
import { describeTransport } from '../../support/transport-contract.js';

describeTransport('TCP', () => ({
  open: openSocket,
  listen: listenTcp,
  deadUrl: async () => `tcp://127.0.0.1:${await deadPort()}`,
  framed: false,
}));

describeTransport('TLS', () => ({
  open: openSocket,
  listen: listenTls,
  deadUrl: async () => `tls://127.0.0.1:${await deadPort()}`,
  framed: false,
  tls: { ca: certificate.cert },
}));

describeTransport('a Unix socket', () => ({
  open: openSocket,
  listen: listenUnix,
  deadUrl: async () => `unix:${socketPath().path}`,
  framed: false,
}));

it('takes a Unix socket with three slashes, too', async () => {
  if (process.platform === 'win32') return;
  const listening = await listenUnix();
  const sink = { data: () => {}, closed: () => {} };
  const url = listening.url.replace('unix:', 'unix://');
  const transport = await openSocket(url, sink, { signal: new AbortController().signal });
  transport.destroy();
  await listening.close();
});

it('does not trust a certificate that nobody vouches for', async () => {
  const listening = await listenTls();
  await expect(connect(listening.url, { name: 'ada' })).rejects.toMatchObject({
    code: 'ERR_CLIENT_CONNECT_FAILED',
    cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
  });
  await listening.close();
});

it('names the address that refuses', async () => {
  const port = await deadPort();
  await expect(connect(`tcp://localhost:${port}`, { name: 'ada' })).rejects.toThrow(
    new RegExp(`^cannot connect to tcp://localhost:${port}: connect ECONNREFUSED`),
  );
});
