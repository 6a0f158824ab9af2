import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import manifest from '../../package.json';
import { type Handshake, shakeHands } from '../model/handshake';

/** Says once, at the start, what to do when this front end and the server do not belong together. */
export const handshake: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:handshake',
  description:
    'Checks that the Helix Lab server extension is there and of the same version.',
  autoStart: true,
  optional: [ITranslator],
  activate: async (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('helix_lab');
    const outcome = await shakeHands(
      manifest.version,
      app.serviceManager.serverSettings
    );
    const advice = advise(outcome, trans);
    if (advice !== null) {
      Notification.warning(advice, { autoClose: false });
    }
  }
};

/**
 * What the user should do; null when all is well.
 *
 * JupyterLab shows the first 140 characters of a notification: the advice fits, what varies is last.
 */
export function advise(
  outcome: Handshake,
  trans: TranslationBundle
): string | null {
  switch (outcome.kind) {
    case 'agreed':
      return null;
    case 'missing':
      return trans.__(
        'Helix Lab does not run on this server. Run "jupyter server extension enable helix_lab_server", then restart it.'
      );
    case 'other-version':
      return trans.__(
        'The server runs Helix Lab %1, this page %2. Restart the server, then reload the page.',
        outcome.server,
        outcome.browser
      );
    case 'silent':
      return trans.__(
        'Helix Lab did not say its version. Look at the log of the server, then reload the page. (%1)',
        outcome.reason
      );
  }
}
