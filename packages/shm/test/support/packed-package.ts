import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageDir = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

/** npm itself, to be run by a Node of choice: its place differs between installations of Node. */
function npmCli(): string {
  const beside = [
    process.env.npm_execpath ?? '',
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), '../share/nodejs/npm/bin/npm-cli.js'),
  ];
  const found = beside.find((path) => path.endsWith('npm-cli.js') && existsSync(path));
  if (found === undefined) throw new Error(`npm is in none of ${beside.join(', ')}`);
  return found;
}

/**
 * The package as npm would publish it, built and packed in a temporary folder, so that a `dist` in use is left alone,
 * and installed into an empty project by a given Node with nothing else on the PATH.
 */
export class PackedPackage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'chat-shm-packed-'));
  readonly tarball: string;

  constructor() {
    const stage = join(this.#folder, 'stage');
    mkdirSync(stage);
    for (const part of ['package.json', 'tsconfig.json', 'src', 'bin', 'native', 'prebuilds', 'README.md']) {
      const from = join(packageDir, part);
      if (existsSync(from)) cpSync(from, join(stage, part), { recursive: true });
    }
    rmSync(join(stage, 'native/build'), { recursive: true, force: true });
    const tsup = join(dirname(require.resolve('tsup/package.json')), 'dist/cli-default.js');
    this.#run(process.execPath, [tsup, '--out-dir', join(stage, 'dist'), '--no-dts'], packageDir);
    this.#run(
      process.execPath,
      [npmCli(), 'pack', '--ignore-scripts', '--pack-destination', this.#folder],
      stage,
    );
    const [tarball] = readdirSync(this.#folder).filter((file) => file.endsWith('.tgz'));
    if (tarball === undefined) throw new Error('npm pack left no tarball');
    this.tarball = join(this.#folder, tarball);
  }

  /** Installs the tarball with scripts off and no network, and returns the folder of the new project. */
  install(node: string): string {
    const project = mkdtempSync(join(this.#folder, 'project-'));
    const flags = ['--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--prefix', project];
    this.#run(node, [npmCli(), 'install', ...flags, this.tarball], project);
    return project;
  }

  /** Runs a file of a project and returns what it printed. */
  run(node: string, project: string, file: string, ...args: readonly string[]): string {
    return this.#run(node, [join(project, file), ...args], project);
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(node: string, args: readonly string[], cwd: string): string {
    const path = join(this.#folder, 'bin');
    mkdirSync(path, { recursive: true });
    if (!existsSync(join(path, 'node'))) symlinkSync(process.execPath, join(path, 'node'));
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
    return execFileSync(node, args, { cwd, env: { ...env, PATH: path }, encoding: 'utf8', stdio: 'pipe' });
  }
}
