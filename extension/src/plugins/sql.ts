import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ICompletionProviderManager } from '@jupyterlab/completer';

import type { LabModel } from '../model/lab';
import { colourSql } from '../sql/colours';
import { CatalogCompletion } from '../sql/completion';
import { ILabModel } from '../tokens';

/** Colours `%%sql` cells. */
export const sqlColours: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:sql-colours',
  description: 'Colours SQL in %%sql cells.',
  autoStart: true,
  requires: [IEditorLanguageRegistry],
  activate: (_app, languages: IEditorLanguageRegistry) => {
    colourSql(languages);
  }
};

/** Completes names in `%%sql` cells. */
export const sqlCompletion: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:sql-completion',
  description: 'Completes names of the catalog in %%sql cells.',
  autoStart: true,
  requires: [ILabModel, ICompletionProviderManager],
  activate: (_app, model: LabModel, manager: ICompletionProviderManager) => {
    manager.registerProvider(new CatalogCompletion(model));
  }
};
