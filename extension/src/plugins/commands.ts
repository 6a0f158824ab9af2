import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommands } from '../commands';
import type { LabModel } from '../model/lab';
import { CommandIDs, ILabModel } from '../tokens';

/** Adds the commands; `schema/commands.json` has the menu. */
export const commands: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:commands',
  description: 'Adds the commands of Helix Lab to palette and menus.',
  autoStart: true,
  requires: [ILabModel],
  optional: [INotebookTracker, ICommandPalette, ITranslator],
  activate: (
    app,
    model: LabModel,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    addCommands({ app, model, notebooks, trans });
    const { showPanel, refresh, newNotebook, openDashboards } = CommandIDs;
    for (const command of [showPanel, refresh, newNotebook, openDashboards]) {
      palette?.addItem({ command, category: trans.__('Helix Lab') });
    }
  }
};
