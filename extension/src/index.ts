import { commands } from './plugins/commands';
import { handshake } from './plugins/handshake';
import { model } from './plugins/model';
import { panel } from './plugins/panel';
import { reports } from './plugins/reports';
import { results } from './plugins/results';
import { running } from './plugins/running';
import { sqlColours, sqlCompletion } from './plugins/sql';
import { status } from './plugins/status';

export default [
  commands,
  handshake,
  model,
  panel,
  reports,
  results,
  running,
  sqlColours,
  sqlCompletion,
  status
];
