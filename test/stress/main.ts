/**
 * `npm run stress`: is what was said still said, when everything breaks at random? See `stress.ts`.
 *
 *     npm run stress -- --seed 7 --minutes 2
 *
 * Ends with 1 when a promise was broken, and prints the evidence. A seed replays its decisions: when the server is killed and
 * what its disk does, what becomes of each connection, who says what after which pause. What it does not replay is how the
 * machine divides its time, and so what exactly is under way at the moment of a kill.
 */
import { parseArgs } from 'node:util';
import { runStress } from './stress.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    kills: { type: 'string' },
    clients: { type: 'string', default: '200' },
    durability: { type: 'string', default: 'process' },
    faults: { type: 'string', default: 'on' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `npm run stress -- [options]
  --seed <number>          decides everything that is random (default: another one each time)
  --minutes <number>       how long the server is killed again and again (default: 1)
  --kills <number>         ends earlier, after so many
  --clients <number>       members: half of them over TCP, a third over WebSocket, the others in lines (default: 200)
  --durability <level>     process or disk (default: process)
  --faults <on|off>        whether the disk fails, too (default: on)`;

/** Violations that are printed in full. */
const MAX_SHOWN = 20;

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text} must be a number above 0`);
  return value;
}

async function main(): Promise<boolean> {
  const { durability, faults } = values;
  if (durability !== 'process' && durability !== 'disk') throw new Error('--durability is process or disk');
  if (faults !== 'on' && faults !== 'off') throw new Error('--faults is on or off');
  const seed = numberOf('seed', values.seed ?? String(1 + Math.floor(Math.random() * 1_000_000)));
  console.log(`seed ${seed}`);
  const { violations, figures } = await runStress({
    seed,
    minutes: numberOf('minutes', values.minutes),
    ...(values.kills === undefined ? {} : { maxKills: numberOf('kills', values.kills) }),
    clients: numberOf('clients', values.clients),
    durability,
    hasFaults: faults === 'on',
    print: (line) => console.log(line),
  });
  for (const [name, count] of Object.entries(figures)) console.log(`  ${name.padEnd(50)} ${count}`);
  for (const { rule, text, evidence } of violations.slice(0, MAX_SHOWN)) {
    console.log([`BROKEN (${rule}): ${text}`, ...evidence.map((line) => `    ${line}`)].join('\n'));
  }
  if (violations.length === 0) console.log('every promise kept');
  else console.log(`${violations.length} BROKEN; again with --seed ${seed}`);
  return violations.length === 0;
}

if (values.help) console.log(HELP);
else process.exit((await main()) ? 0 : 1);
