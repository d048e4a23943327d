/** All scenarios of the kill harness: the child finds them here by name, the tests run them all. */
import type { Scenario } from './scenario.js';
import { channelScenarios } from './scenarios/channel.js';
import { cleanupScenarios } from './scenarios/cleanup.js';
import { latestScenarios } from './scenarios/latest.js';
import { logScenarios } from './scenarios/log.js';
import { mutexScenarios } from './scenarios/mutex.js';
import { participantScenarios } from './scenarios/participants.js';
import { queueScenarios } from './scenarios/queue.js';
import { ringScenarios } from './scenarios/ring.js';
import { segmentScenarios } from './scenarios/segment.js';
import { serverScenarios } from './scenarios/server.js';

export const scenarios: readonly Scenario[] = [
  ...segmentScenarios,
  ...cleanupScenarios,
  ...participantScenarios,
  ...latestScenarios,
  ...mutexScenarios,
  ...ringScenarios,
  ...channelScenarios,
  ...logScenarios,
  ...queueScenarios,
  ...serverScenarios,
];
