/** How it was measured, in the sentences that a report ends with. */
import type { CompareReport } from './figures.js';

/** One sentence or two for each thing that a reader may ask. */
export function describeMethod(report: CompareReport): string[] {
  const { settings } = report;
  const { rounds, roundTripBytes, ratePerSecond, elapsedMs } = settings;
  return [
    'Both ends are processes of their own; servers are a third one. Only MessagePort connects two threads of one process, because it cannot do more.',
    `${rounds} round${rounds === 1 ? '' : 's'} of everything, interleaved; each line is opened anew in each. Medians are shown, with the smallest and the largest where there were several.`,
    `Round trips of ${roundTripBytes} bytes start at a fixed rate of ${ratePerSecond} a second. Latency counts from the moment a message was due, so a stall is charged to all that it delayed. The first quarter is warm-up.`,
    'One-way messages are numbered; the receiver checks that each is the next one. At most 1,024 messages or 2 MiB are on their way, whichever is less.',
    '“Polled” lines look for messages all the time on both sides, which takes a core each; “doorbell” lines sleep until they are woken. When two polling processes have two cores, anything else that runs takes one away: that is the tail of their latency. ' +
      pollingCores(report),
    'Bare sockets carry a length before each message, the least that one needs. The chat carries names, rooms, order and history, through its own client library, and acknowledges every message; lines through Redis and NATS speak their protocol directly, and nothing is acknowledged. All of them write what one turn of the event loop sends at once; WebSocket, process.send and MessagePort send each message by itself, as they do for everybody.',
    'CPU time is what the kernel’s scheduler has counted for all threads of each process; of MessagePort, whose two threads share one, it stands under the sender.',
    'The receiver looks at the header of a message and at nothing else; what a line copies to hand it over is in the figures, what a program does with it is not.',
    'All of it is one machine: sockets go over loopback. A network adds its own latency to every socket, and nothing to shared memory, which cannot use one.',
    `It took ${Math.round(elapsedMs / 1000)} s.`,
  ];
}

function pollingCores({ transports }: CompareReport): string {
  return transports.some(({ coreShare }) => coreShare !== undefined)
    ? 'How much of a core each end got was measured: a line of which an end got less than 90 % is not ranked.'
    : 'How much of a core each end got was not measured in this run, only what others used in between.';
}
