import {
  ILayoutRestorer,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { LabModel } from '../model/lab';
import { ILabModel, PANEL_ID } from '../tokens';
import { HelixPanel } from '../widgets/panel';

const RANK = 600;

/** Adds the side panel. */
export const panel: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:panel',
  description:
    'Shows health, catalog, runs and dashboards beside the notebook.',
  autoStart: true,
  requires: [ILabModel],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app,
    model: LabModel,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ) => {
    const widget = new HelixPanel(
      model,
      app.commands,
      translator ?? nullTranslator
    );
    app.shell.add(widget, 'left', { rank: RANK });
    restorer?.add(widget, PANEL_ID);
  }
};
