import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { LabModel } from '../model/lab';
import { CommandIDs, ILabModel } from '../tokens';
import { makeStatusItem } from '../widgets/status';

/** Says in the status bar how the lab is. */
export const status: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:status',
  description: 'Says in the status bar whether the lab can be reached.',
  autoStart: true,
  requires: [ILabModel, IStatusBar],
  optional: [ITranslator],
  activate: (
    app,
    model: LabModel,
    bar: IStatusBar,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    const open = () => void app.commands.execute(CommandIDs.showPanel);
    const item = makeStatusItem({
      connection: model.connection,
      trans,
      open
    });
    bar.registerStatusItem(status.id, { item, align: 'right', rank: 50 });
  }
};
