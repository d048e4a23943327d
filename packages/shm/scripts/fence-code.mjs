// `npm run fence-code -w @chat/shm`: looks at the code that V8 makes of the fence on arm64, in each Node and by each compiler.
//
// The code does not depend on the machine that runs it, so qemu-user is enough to have it printed. What src/platform/atomics.ts relies
// on is held against it:
//
//   - the builtins of Atomics are what they have to be: `stlr`, `ldar` (not the weaker `ldapr`), `ldaxr`/`stlxr` or `casal`;
//   - in optimised code each access of Atomics is there, in its place, and the plain access stays between its neighbours.
//
// The interpreter and the baseline compiler call the builtins in the order of the program, and are not looked at.
// Needs qemu-user-static and the libraries of g++-aarch64-linux-gnu. What it cannot show is an actual CPU: that is what `litmus` is for.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SHIPPED } from '../native/compile.mjs';
import { installNodes } from './nodes.mjs';

const { arch, majors, runner: QEMU } = SHIPPED.find((target) => target.arch === 'arm64');

/** How a reader and a writer of what may be overwritten use the fence. */
const PROGRAM = `
const own = new Int32Array(1);
const words = new Int32Array(64);
function fence() { Atomics.store(own, 0, 0); Atomics.load(own, 0); }
function reader(i) { const seen = Atomics.load(words, 0); const x = words[i]; fence(); return Atomics.load(words, 0) - seen + x; }
function writer(i) { Atomics.store(words, 0, 1); fence(); words[i] = i; fence(); Atomics.store(words, 0, 2); }
for (const f of [fence, reader, writer]) %PrepareFunctionForOptimization(f);
for (let i = 0; i < 10; i++) { reader(i & 7); writer(i & 7); }
%OptimizeTIEROnNextCall(reader); %OptimizeTIEROnNextCall(writer);
reader(3); writer(3);
`;

/** L: Atomics.load, S: Atomics.store, p: a plain access to the words. */
const EXPECTED = { reader: 'LpSLL', writer: 'SSLpSLS' };
const PLAIN = {
  reader: /\tldr w\d+, \[x\d+(, x\d+, lsl #2)?\]/,
  writer: /\tstr w\d+, \[x\d+(, x\d+, lsl #2)?\]/,
};

const BUILTINS = [
  { name: 'AtomicsStore', needs: [/\tstlr w/] },
  { name: 'AtomicsLoad', needs: [/\tldar w/], mustNot: /\tldapr/ },
  { name: 'AtomicsCompareExchange', needs: [/\tldaxr w|\tcasal w/] },
];

const TIERS = [
  {
    name: 'TurboFan',
    call: 'Function',
    flags: (name) => ['--print-opt-code', `--print-opt-code-filter=${name}`],
  },
  {
    name: 'Maglev',
    call: 'Maglev',
    flags: (name) => ['--maglev', '--print-maglev-code', `--maglev-filter=${name}`],
  },
];

const ABSENT = 'not in this Node';
const folder = mkdtempSync(join(tmpdir(), 'chat-shm-fence-'));
const nodes = installNodes(arch, majors);
let wrong = 0;
try {
  for (const [i, node] of nodes.binaries.entries()) {
    const version = nodes.versions[i];
    for (const builtin of BUILTINS) report(version, `builtin ${builtin.name}`, lookAtBuiltin(node, builtin));
    for (const tier of TIERS) {
      for (const name of ['reader', 'writer'])
        report(version, `${tier.name} of ${name}`, lookAt(node, tier, name));
    }
  }
} finally {
  nodes.remove();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;

function report(version, what, problem) {
  if (problem !== undefined && problem !== ABSENT) wrong++;
  console.log(`${version.padEnd(8)} ${what}: ${problem ?? 'as it has to be'}`);
}

function lookAtBuiltin(node, { name, needs, mustNot }) {
  const code = run(node, ['--print-builtin-code', `--print-builtin-code-filter=${name}`, '-e', '0']);
  const spaced = normal(code);
  if (!spaced.includes(`name = ${name}`)) return 'this Node does not print it';
  const missing = needs.find((need) => !need.test(spaced));
  if (missing !== undefined) return `no ${missing.source}`;
  return mustNot?.test(spaced) ? `has ${mustNot.source}` : undefined;
}

function lookAt(node, { call, flags }, name) {
  const program = join(folder, 'fence.js');
  writeFileSync(program, PROGRAM.replaceAll('TIER', call));
  const code = normal(run(node, ['--allow-natives-syntax', ...flags(name), program]));
  // Node 20 and 22 have no Maglev on arm64.
  if (call === 'Maglev' && /^Maglev is not enabled|^bad option/m.test(code)) return ABSENT;
  if (!/\t(blr|ldar|stlr)/.test(code)) return 'not printed by this Node';
  const order = orderOf(code, PLAIN[name], EXPECTED[name]);
  return order.startsWith(EXPECTED[name]) ? undefined : `${order}, not ${EXPECTED[name]}`;
}

/** The accesses of a function in the order of its code: inlined ones by their instruction, called ones by where the call leads. */
function orderOf(code, plain, expected) {
  const literals = new Map();
  let target;
  let order = '';
  for (const line of code.split('\n')) {
    const literal = /\tldr x1[67], pc.*\(addr (0x[0-9a-f]+)\)/.exec(line)?.[1];
    if (literal !== undefined) target = literal;
    if (/\tstlr w/.test(line)) order += 'S';
    else if (/\tldar w/.test(line)) order += 'L';
    else if (plain.test(line)) order += 'p';
    else if (/\tblr x/.test(line) && target !== undefined) {
      // The first two builtins that are called are told apart by the order that is expected.
      if (!literals.has(target))
        literals.set(target, literals.size === 0 ? expected[0] : expected[0] === 'L' ? 'S' : 'L');
      order += literals.get(target);
      target = undefined;
    }
    if (order.length === expected.length) break;
  }
  return order;
}

/** Disassembly with one tab before each instruction. */
function normal(text) {
  return text.replace(/^(0x[0-9a-f]+) +[0-9a-f]+ +[0-9a-f]{8} +/gm, '$1\t');
}

function run(node, args) {
  const { stdout, status, signal, stderr } = spawnSync(QEMU[0], [...QEMU.slice(1), node, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  // 9: it does not know an option.
  if (status === 9) return 'bad option';
  if (status !== 0) throw new Error(`${node} ended with ${status ?? signal}: ${stderr.slice(-400)}`);
  return stdout;
}
