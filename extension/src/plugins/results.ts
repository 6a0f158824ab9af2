import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { makeRendererFactory } from '../results/renderer';

/** Shows results of `%%sql` as tables that are paged and sorted by the server. */
export const results: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:results',
  description: 'Shows results as tables with pages and sorting.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    app,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    const settings = app.serviceManager.serverSettings;
    rendermime.addFactory(makeRendererFactory({ settings, trans }));
  }
};
