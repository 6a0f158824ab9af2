import { Token } from '@lumino/coreutils';

import type { LabModel } from './model/lab';

/** What the page knows of the lab, shared by every plugin. */
export const ILabModel = new Token<LabModel>(
  '@helix-lab/extension:ILabModel',
  'The health, catalog, runs and dashboards of the Helix Lab on this server.'
);

/** The commands of Helix Lab; the settings schema places them in menus and palette. */
export const CommandIDs = {
  showPanel: 'helix-lab:show-panel',
  refresh: 'helix-lab:refresh',
  newNotebook: 'helix-lab:new-notebook',
  insertName: 'helix-lab:insert-name',
  cancelRun: 'helix-lab:cancel-run',
  openResult: 'helix-lab:open-result',
  openDashboard: 'helix-lab:open-dashboard',
  openDashboards: 'helix-lab:open-dashboards',
  openReport: 'helix-lab:open-report'
} as const;

export const PANEL_ID = 'helix-lab-panel';
