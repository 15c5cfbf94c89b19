/* The npm package of SFDMU 3 is a plugin whose shell is gone: this loads its one command, as a shell would. */
'use strict';

const path = require('node:path');
const { Config } = require('@oclif/config');

const folder = path.dirname(require.resolve('sfdmu/package.json'));

(async () => {
  const config = new Config({ root: folder });
  await config.load();
  await config.runCommand('sfdmu:run', process.argv.slice(2));
})().catch((error) => {
  console.error(error.stack || String(error));
  process.exitCode = 1;
});
