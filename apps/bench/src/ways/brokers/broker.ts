/**
 * What ways through a broker have in common: its server is a program on the PATH, and the ends of a pair find
 * each other by subject, each listening to its own and publishing to that of the other.
 */
import {
  type Address,
  findProgram,
  programVersion,
  type ServerProcess,
  startServer,
  type TcpAddress,
  tcpOf,
} from '../../harness/server-process.js';
import { alike, type Line, type Way, type Wire } from '../way.js';

/** The particulars of one broker; its program is called `<name>-server`. */
export interface Broker {
  readonly name: string;
  readonly title: string;
  /** Makes the server listen there, and keep nothing. */
  args(address: TcpAddress): readonly string[];
  /** Opens the end that listens to `own` and publishes to `other`. */
  openLine(address: Address, own: string, other: string): Promise<Line>;
  wire(payloadBytes: number): Wire;
}

/** Makes a way of it. */
export function broker({ name, title, args, openLine, wire }: Broker): Way {
  const program = `${name}-server`;
  const start = (): Promise<ServerProcess> =>
    startServer((address) => [findProgram(program) ?? program, ...args(tcpOf(address))]);
  return {
    id: name,
    program,
    pair: {
      title,
      family: 'broker',
      level: 'peer',
      polls: false,
      startServer: start,
      ends: alike((end, { server, unique }) => {
        const [own, other] = end === 'near' ? ['near', 'far'] : ['far', 'near'];
        return openLine(server!, `${unique}.${own}`, `${unique}.${other}`);
      }),
    },
    fanout: {
      name,
      version: () => programVersion(findProgram(program) ?? program),
      startServer: start,
      wire,
    },
  };
}
