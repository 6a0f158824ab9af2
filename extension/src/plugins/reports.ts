import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../tokens';

const ARGUMENTS = {
  args: {
    type: 'object',
    properties: { title: { type: 'string' }, run_id: { type: 'string' } },
    required: ['title', 'run_id']
  }
};

/** Adds the command that opens the page of a report. */
export const reports: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:reports',
  description: 'Opens the results of reports in tabs.',
  autoStart: true,
  optional: [ITranslator],
  activate: (app, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    app.commands.addCommand(CommandIDs.openReport, {
      label: trans.__('Open the Result of a Report'),
      caption: trans.__('Open the page that a run of a report made'),
      describedBy: ARGUMENTS,
      execute: async ({ title, run_id }) => {
        if (typeof title === 'string' && typeof run_id === 'string') {
          const { openPage } = await import('../reports/opening');
          openPage(app, title, run_id);
        }
      }
    });
  }
};
