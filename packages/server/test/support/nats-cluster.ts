/** Three NATS servers that are one: a cluster of a test. */
import { createServer } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { NatsProcess } from './nats-process.js';

const NODES = ['n1', 'n2', 'n3'] as const;

export class NatsCluster {
  readonly nodes: readonly NatsProcess[];

  private constructor(nodes: readonly NatsProcess[]) {
    this.nodes = nodes;
  }

  /** Starts three of them, and waits until they have elected somebody. */
  static async start(program: string, ...flags: string[]): Promise<NatsCluster> {
    const ports = await freePorts(NODES.length);
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(',');
    const nodes = await Promise.all(
      NODES.map((name, i) => {
        const cluster = [
          '-cluster_name',
          'test',
          '-cluster',
          `nats://127.0.0.1:${ports[i]}`,
          '-routes',
          routes,
        ];
        return NatsProcess.start(program, '-n', name, ...cluster, ...flags);
      }),
    );
    const cluster = new NatsCluster(nodes);
    await cluster.ready();
    return cluster;
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Where the leader of a stream is; `undefined` while there is none. */
  async leader(stream: string): Promise<NatsProcess | undefined> {
    const connection = await connect({ servers: this.urls });
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const { cluster } = await manager.streams.info(stream);
      return this.nodes[NODES.indexOf(cluster?.leader as (typeof NODES)[number])];
    } catch {
      return undefined;
    } finally {
      await connection.close();
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  /** Until a stream can be made that is kept by all of them. */
  async ready(): Promise<void> {
    const connection = await connect({ servers: this.urls });
    const manager = await jetstreamManager(connection, { checkAPI: false });
    const config = { name: 'probe', subjects: ['probe'], num_replicas: NODES.length };
    for (;;) {
      try {
        await manager.streams.add(config);
        break;
      } catch {
        // Nobody is elected yet.
      }
    }
    await manager.streams.delete('probe');
    await connection.close();
  }
}

/** Ports that nobody listens at; somebody may come before they are taken. */
/** Ports that nobody listens at, at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
