/** Where a process that the supervisor started stands among the others. */
import cluster from 'node:cluster';
import { PLACE_VARIABLE, type WorkerPlace } from './messages.js';

/** To be asked in a process that the supervisor started. */
export function placeOf(): WorkerPlace {
  return JSON.parse(process.env[PLACE_VARIABLE] ?? '{}') as WorkerPlace;
}

/** Whether this is the process that carries blocks: that of the store, or the one that speaks with NATS. */
export function isCarrierProcess(): boolean {
  return cluster.isWorker && placeOf().worker === 0;
}

/** The configuration file as the supervisor read it; `undefined` in a process that is no worker, and without a file. */
export function configTextOfWorker(): string | undefined {
  return placeOf().configText;
}
