import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import type { IDisposable } from '@lumino/disposable';

import type { LabModel } from '../model/lab';
import { CommandIDs, ILabModel } from '../tokens';

/** Has a card for the dashboards; the kernel has one from its kernelspec. */
export const launcher: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:launcher',
  description: 'Adds a launcher card for the dashboards of the lab.',
  autoStart: true,
  requires: [ILabModel, ILauncher],
  activate: (_app, model: LabModel, cards: ILauncher) => {
    let card: IDisposable | null = null;
    model.dashboards.changed.connect(() => {
      const isOffered = (model.dashboards.value ?? []).length > 0;
      if (isOffered && card === null) {
        card = cards.add({
          command: CommandIDs.openDashboards,
          category: 'Other'
        });
      } else if (!isOffered) {
        card?.dispose();
        card = null;
      }
    });
  }
};
