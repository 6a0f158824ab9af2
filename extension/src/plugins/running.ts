import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRunningSessionManagers } from '@jupyterlab/running';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { LabModel } from '../model/lab';
import { ILabModel } from '../tokens';
import { makeRunningManager } from '../widgets/running';

/** Lists unfinished runs in JupyterLab's panel of what is running. */
export const running: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:running',
  description: 'Lists unfinished runs beside kernels and terminals.',
  autoStart: true,
  requires: [ILabModel, IRunningSessionManagers],
  optional: [ITranslator],
  activate: (
    app,
    model: LabModel,
    managers: IRunningSessionManagers,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    managers.add(makeRunningManager(model.runs, app.commands, trans));
  }
};
