/** The chat itself: a hello as a client says it, and what the server answers. */
import { CloseCode, closeCodeInfo } from '@chat/protocol';
import {
  encodeClose,
  encodeHello,
  encodePreface,
  type Frame,
  FrameDecoder,
  FrameType,
} from '@chat/protocol/frames';
import { createClient } from '../connection.js';
import { errorText } from '../session/session.js';
import { type Finding, ok, problem, warning } from './finding.js';
import { ANSWER_MS, open, type Target } from './target.js';

const MAX_FRAME_BYTES = 65_536;

/** The client that the doctor plays. */
export interface Visitor {
  readonly name: string;
  /** Of this program. */
  readonly version: string;
  readonly tlsCa: string | undefined;
}

/** Comes in, joins no room, and leaves. */
export async function chat(target: Target, visitor: Visitor): Promise<readonly Finding[]> {
  if (target.isWebSocket) return throughWebSocket(target, visitor);
  let frame: Frame;
  try {
    frame = await answerTo(target, visitor);
  } catch (error) {
    const remedy = 'is that a chat server? A proxy for HTTP passes ws: and wss: on, and not tcp:';
    return [problem('chat', `no answer to a hello: ${(error as Error).message}`, remedy)];
  }
  if (frame.type === FrameType.Welcome) {
    return [ok('chat', 'a client gets in'), ...versions(frame.welcome.agent, visitor.version)];
  }
  if (frame.type === FrameType.Close) return [refusal(frame.code, frame.reason)];
  return [problem('chat', 'the answer to a hello is not a welcome', 'is the server of another version?')];
}

function refusal(code: number, reason: string): Finding {
  const { name } = closeCodeInfo(code as CloseCode);
  const text = `the server does not let a client in: ${name}${reason && `, ${reason}`}`;
  if (code === CloseCode.Unauthorized)
    return warning('chat', text, 'it asks for credentials: nothing is wrong with the way');
  return problem('chat', text, 'docs/protocol.md says what that code means');
}

function versions(agent: string | undefined, own: string): readonly Finding[] {
  if (agent === undefined) return [];
  const theirs = /\/(\S+)$/.exec(agent)?.[1];
  const text = `server ${agent}, client chat/${own}`;
  if (theirs === undefined || major(theirs) === major(own)) return [ok('versions', text)];
  return [warning('versions', text, 'use the same major version at both ends')];
}

function major(version: string): string {
  const [first, second] = version.split('.');
  // Before 1.0 the second number is what a major one is later.
  return first === '0' ? `0.${second}` : String(first);
}

function answerTo(target: Target, { name, version }: Visitor): Promise<Frame> {
  return new Promise((resolve, reject) => {
    const socket = open(target);
    const decoder = new FrameDecoder();
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(ANSWER_MS, () => fail(new Error(`nothing within ${ANSWER_MS} ms`)));
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
    socket.once(target.isTls ? 'secureConnect' : 'connect', () => {
      socket.write(encodePreface());
      socket.write(encodeHello({ name, maxFrameBytes: MAX_FRAME_BYTES, agent: `chat/${version}` }));
    });
    socket.on('data', (chunk: Uint8Array) => {
      try {
        decoder.push(chunk);
        if (!decoder.next()) return;
        resolve(decoder.frame());
        socket.end(encodeClose(CloseCode.Normal, 0, 'looked around'));
        socket.resume();
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}

async function throughWebSocket(
  { url }: Target,
  { name, version, tlsCa }: Visitor,
): Promise<readonly Finding[]> {
  const client = createClient(url, name, { tlsCa, password: undefined }, version, {
    connectTimeoutMs: ANSWER_MS,
  });
  try {
    await client.connect();
    return [ok('chat', 'a client gets in')];
  } catch (error) {
    return [
      problem('chat', `a client does not get in: ${errorText(error)}`, 'what was found above may be why'),
    ];
  } finally {
    await client.close();
  }
}
