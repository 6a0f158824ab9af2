const preset = require('@jupyterlab/testing/lib/jest-config')(__dirname);

// Packages that ship ES modules only; the preset's own list leaves JupyterLab itself out.
const esModules = [
  '@codemirror',
  '@jupyter',
  '@marijn',
  '@microsoft',
  'color',
  'exenv-es6',
  'lib0',
  'marked',
  'nanoid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  ...preset,
  reporters: [
    'default',
    [
      'jest-junit',
      { outputDirectory: '../.reports', outputName: 'extension.xml' }
    ]
  ],
  testRegex: 'src/__tests__/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!(${esModules})).+`]
};
