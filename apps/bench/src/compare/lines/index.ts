/** The mechanisms by name, since a name is all that can be told to another process. */
import type { Mechanism } from '../line.js';
import { channelMechanism } from './channel.js';
import { chatTcpMechanism, chatUnixMechanism, chatWebSocketMechanism } from './chat.js';
import { natsMechanism } from './nats.js';
import { redisMechanism } from './redis.js';
import {
  shmChannelMechanism,
  shmChannelPolledMechanism,
  shmLatestMechanism,
  shmLogMechanism,
  shmLogPolledMechanism,
  shmLogReadersMechanism,
} from './shared-memory.js';
import { sharedWordsMechanism } from './shared-words.js';
import { tcpMechanism, unixMechanism } from './stream-socket.js';
import { webSocketMechanism } from './web-socket.js';

/** All mechanisms. */
export const MECHANISMS = {
  'shared-words': sharedWordsMechanism,
  'shm-latest': shmLatestMechanism,
  'shm-channel-polled': shmChannelPolledMechanism,
  'shm-log-polled': shmLogPolledMechanism,
  'shm-log-readers': shmLogReadersMechanism,
  'shm-channel': shmChannelMechanism,
  'shm-log': shmLogMechanism,
  unix: unixMechanism,
  tcp: tcpMechanism,
  websocket: webSocketMechanism,
  channel: channelMechanism,
  'chat-unix': chatUnixMechanism,
  'chat-tcp': chatTcpMechanism,
  'chat-websocket': chatWebSocketMechanism,
  redis: redisMechanism,
  nats: natsMechanism,
} as const satisfies Record<string, Mechanism>;

/** Name of a mechanism. */
export type MechanismName = keyof typeof MECHANISMS;
