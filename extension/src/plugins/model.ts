import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import manifest from '../../package.json';
import { LabModel } from '../model/lab';
import { ILabModel } from '../tokens';

/** Keeps what the page knows of the lab. */
export const model: JupyterFrontEndPlugin<LabModel> = {
  id: '@helix-lab/extension:model',
  description: 'Provides the health, catalog, runs and dashboards of the lab.',
  autoStart: true,
  provides: ILabModel,
  activate: ({ serviceManager, restored }) => {
    const lab = new LabModel(
      serviceManager.serverSettings,
      serviceManager.events.stream,
      manifest.version
    );
    serviceManager.connectionFailure.connect(() => {
      void lab.connection.refresh();
    });
    // Nothing is asked while JupyterLab itself still loads.
    void restored.then(() => {
      lab.start();
    });
    return lab;
  }
};
