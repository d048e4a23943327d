/** Runs a program with a time limit, and without the settings of the npm that may have started this one. */
import { spawn } from 'node:child_process';

/**
 * @returns what it printed to its standard output
 * @throws Error with all that it printed when it fails, or does not end in time
 */
export function run(program, args, { cwd, env, timeoutMs = 120_000 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it started ends with it.
      detached: process.platform !== 'win32',
    });
    let [printed, all, late] = ['', '', false];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      all += text;
    });
    const timer = setTimeout(() => {
      late = true;
      endGroup(child);
    }, timeoutMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(printed.trim());
      const how = late ? `did not end within ${timeoutMs} ms` : `ended with ${signal ?? code}`;
      reject(new Error(`${program} ${args.join(' ')}\n${how}\n${all.trim().slice(-4000)}`));
    });
  });
}

export function endGroup(child) {
  try {
    if (process.platform === 'win32') child.kill();
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** npm hands its own settings down to what it runs: they would be those of the projects as well. */
export function cleanEnvironment() {
  const kept = /^npm_config_(registry|cache|userconfig|globalconfig)$/i;
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || kept.test(name));
  const { NODE_ENV, NODE_OPTIONS, ...others } = Object.fromEntries(entries);
  return { ...others, NO_COLOR: '1', CI: '1' };
}
