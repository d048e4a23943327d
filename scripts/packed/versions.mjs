/** The versions that the packages are tried with: exact, so that a run says the same as the one before it. */

/** Has a WebSocket, and runs every tool. */
export const NEWEST_NODE = '26.12.1';

/** The first that `engines` allows, and the last of each line. */
export const NODES = ['20.0.0', '20.20.2', '22.23.3', '24.21.0', NEWEST_NODE];

export const NPMS = ['10.9.9', '11.21.2', '12.2.2'];
export const PNPMS = ['10.34.8', '12.21.0'];

/** The oldest that the READMEs promise, and the last of each line after it. */
export const TYPESCRIPTS = ['5.4.5', '5.9.3', '6.0.3', '7.0.2'];
export const TYPES_OF_NODE = '20.19.43';

export const VERSIONS = {
  esbuild: '0.28.2',
  rollup: '4.68.8',
  '@rollup/plugin-node-resolve': '16.0.3',
  webpack: '5.113.0',
  vite: '8.3.8',
  metro: '0.87.1',
  jest: '29.7.0',
  vitest: '4.1.12',
  jsdom: '26.1.0',
  next: '16.4.6',
  react: '19.3.1',
  react18: '18.3.1',
};
