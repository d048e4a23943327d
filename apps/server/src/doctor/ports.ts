/** Ports and sockets: whether they are free, and if not, who has them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { connect, createServer, type ListenOptions } from 'node:net';
import { join } from 'node:path';
import { type Check, type DoctorContext, type Finding, ok, problem } from './check.js';

/** What answers on this machine does so at once. */
const ANSWER_MS = 2000;
/** State of a socket in `/proc/net/tcp`. */
const LISTENING = '0A';

export const chatPort: Check = (context) => {
  const { host, port } = context.args;
  return portFindings('port', '--port', host, port, context);
};

export const metricsPort: Check = (context) => {
  const { metricsAddress } = context.args;
  if (!metricsAddress) return [];
  return portFindings('metrics port', '--metrics-port', metricsAddress.host, metricsAddress.port, context);
};

export const unixSocket: Check = async ({ args: { unix } }) => {
  if (unix === undefined) return [];
  if (await accepts(unix)) {
    return [problem('socket', `something listens at ${unix}`, 'stop it, or choose another with --unix')];
  }
  const error = await listenError({ path: `${unix}.doctor` });
  if (!error) return [ok('socket', `${unix} is free`)];
  return [
    problem(
      'socket',
      `${unix} cannot be made: ${error.message}`,
      'make its folder, and let this user write there',
    ),
  ];
};

async function portFindings(
  about: string,
  option: string,
  host: string | undefined,
  port: number,
  context: DoctorContext,
): Promise<readonly Finding[]> {
  if (port === 0) return [ok(about, 'any that is free')];
  const error = await listenError({ port, ...(host === undefined ? {} : { host }) });
  switch (error?.code) {
    case undefined:
      return [ok(about, `${port} is free`)];
    case 'EADDRINUSE': {
      const owner = ownerOf(port, context.proc);
      const by = owner === undefined ? '' : ` by ${owner}`;
      if (about === 'port' && (await isChatServer(port, host))) {
        return [ok(about, `${port} is taken${by}: a chat server, which answers`)];
      }
      return [problem(about, `${port} is taken${by}`, `stop that, or choose another with ${option}`)];
    }
    case 'EACCES': {
      const remedy = `choose one from 1024 on with ${option}, or give the process CAP_NET_BIND_SERVICE`;
      return [problem(about, `${port} needs privileges that this user has not`, remedy)];
    }
    case 'EADDRNOTAVAIL':
      return [problem(about, `this machine does not have the address ${host}`, 'choose another with --host')];
    default:
      return [
        problem(about, `${port} cannot be listened on: ${error?.message}`, `choose another with ${option}`),
      ];
  }
}

/** Listens for a moment. */
function listenError(options: ListenOptions): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ ...options, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Whether what listens there takes a chat: it says so where a load balancer would ask. */
function isChatServer(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      {
        port,
        host: host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host,
        path: '/healthz',
        agent: false,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve(response.statusCode === 200 && text.trim() === 'ok'));
      },
    );
    request.setTimeout(ANSWER_MS, () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

/** The process that listens at a port, as far as this user may see: `process 77 (node server.js)`. */
function ownerOf(port: number, proc: string): string | undefined {
  const inodes = new Set(['tcp', 'tcp6'].flatMap((file) => inodesIn(join(proc, 'net', file), port)));
  for (const pid of inodes.size === 0 ? [] : entriesOf(proc).filter((name) => /^\d+$/.test(name))) {
    const links = entriesOf(join(proc, pid, 'fd')).map((fd) => linkOf(join(proc, pid, 'fd', fd)));
    if (!links.some((link) => inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? ''))) continue;
    const command = textOf(join(proc, pid, 'cmdline'))
      .split('\0')
      .join(' ')
      .trim()
      .slice(0, 120);
    return `process ${pid}${command === '' ? '' : ` (${command})`}`;
  }
  return undefined;
}

function inodesIn(path: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return textOf(path)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${wanted}`) && state === LISTENING)
    .map((fields) => fields[9]!);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
