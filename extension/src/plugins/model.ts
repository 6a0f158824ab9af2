import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { LabModel } from '../model/lab';
import { ILabModel } from '../tokens';

/** Keeps what the page knows of the lab. */
export const model: JupyterFrontEndPlugin<LabModel> = {
  id: '@helix-lab/extension:model',
  description: 'Provides the health, catalog, runs and dashboards of the lab.',
  autoStart: true,
  provides: ILabModel,
  activate: ({ serviceManager }) => {
    const lab = new LabModel(
      serviceManager.serverSettings,
      serviceManager.events.stream
    );
    serviceManager.connectionFailure.connect(() => {
      void lab.connection.refresh();
    });
    lab.start();
    return lab;
  }
};
