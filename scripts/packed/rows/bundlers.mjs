/**
 * Bundlers: a page is built without a warning and without anything of Node, and what was built talks to a server,
 * in a Node that has the WebSocket of browsers.
 */
import { web } from '../programs.mjs';
import { NEWEST_NODE, VERSIONS } from '../versions.mjs';

const PAGE = "import { chat } from './chat.js';\nchat().then((said) => console.log(said));\n";

/** A row: `build` leaves the script of a page in `out/`; a file's name is the answer. */
function bundler(name, version, how, packages, build) {
  return {
    what: `${name} ${version}`,
    how,
    run: async ({ project, tools, server, room }) => {
      await project.install(packages);
      project.write({ 'src/page.js': PAGE, 'src/chat.js': web(server.url, room) });
      const file = await build(project);
      const code = project.read(file);
      if (/["']node:|\brequire\(["']/.test(code)) throw new Error('there is something of Node in the bundle');
      const said = await project.run(await tools.node(NEWEST_NODE), [file]);
      if (said !== `${room}: hello`) throw new Error(`the page said: ${said}`);
    },
  };
}

const noWarnings = (printed) => {
  if (/warn/i.test(printed)) throw new Error(printed);
};

export const bundlers = [
  bundler(
    'esbuild',
    VERSIONS.esbuild,
    'page, `--target=es2022`',
    [`esbuild@${VERSIONS.esbuild}`],
    async (project) => {
      const args = [
        'src/page.js',
        '--bundle',
        '--minify',
        '--format=esm',
        '--target=es2022',
        '--outfile=out/page.mjs',
      ];
      noWarnings(await project.run('node_modules/.bin/esbuild', [...args, '--log-level=warning']));
      return 'out/page.mjs';
    },
  ),
  bundler(
    'Rollup',
    VERSIONS.rollup,
    'page, with `@rollup/plugin-node-resolve` for browsers',
    [`rollup@${VERSIONS.rollup}`, `@rollup/plugin-node-resolve@${VERSIONS['@rollup/plugin-node-resolve']}`],
    async (project) => {
      project.write({
        'rollup.config.js': `import resolve from '@rollup/plugin-node-resolve';
          export default {
            input: 'src/page.js',
            output: { dir: 'out', entryFileNames: 'page.mjs', format: 'es' },
            plugins: [resolve({ browser: true })],
            onwarn: (warning) => { throw new Error(warning.message); },
          };`,
      });
      await project.bin('rollup/dist/bin/rollup', ['-c', '--silent']);
      return 'out/page.mjs';
    },
  ),
  bundler(
    'webpack',
    VERSIONS.webpack,
    'page, production mode',
    [`webpack@${VERSIONS.webpack}`],
    async (project) => {
      project.write({
        'build.mjs': `import webpack from 'webpack';
          webpack({
            mode: 'production',
            entry: './src/page.js',
            output: { path: process.cwd() + '/out', filename: 'page.cjs' },
          }, (error, stats) => {
            if (error) throw error;
            if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
          });`,
      });
      await project.run(process.execPath, ['build.mjs']);
      return 'out/page.cjs';
    },
  ),
  bundler('Vite', VERSIONS.vite, 'page, `vite build`', [`vite@${VERSIONS.vite}`], async (project) => {
    project.write({
      'index.html': '<!doctype html><script type="module" src="/src/page.js"></script>',
      'vite.config.js': `export default {
        build: {
          outDir: 'out',
          modulePreload: false,
          rollupOptions: { output: { entryFileNames: 'page.mjs' } },
        },
      };`,
    });
    noWarnings(await project.bin('vite/bin/vite.js', ['build', '--logLevel=warn']));
    return 'out/page.mjs';
  }),
  bundler(
    'Metro',
    VERSIONS.metro,
    'React Native: an app for iOS',
    [`metro@${VERSIONS.metro}`],
    async (project) => {
      project.write({
        'build.mjs': `import Metro from 'metro';
        const config = await Metro.loadConfig({ cwd: process.cwd() }, {
          reporter: { update() {} },
          resolver: { unstable_conditionNames: ['require', 'react-native'], useWatchman: false },
          // What the preset of React Native does: modules become calls.
          transformer: { getTransformOptions: async () => ({ transform: { experimentalImportSupport: true } }) },
          serializer: { getModulesRunBeforeMainModule: () => [], getPolyfills: () => [] },
        });
        await Metro.runBuild(config, { entry: 'src/page.js', platform: 'ios', dev: false, minify: true, out: 'out/page.js' });
        process.exit();`,
        'out/package.json': '{ "type": "commonjs" }',
      });
      await project.run(process.execPath, ['build.mjs']);
      return 'out/page.js';
    },
  ),
];
