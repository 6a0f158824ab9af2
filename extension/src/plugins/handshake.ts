import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import manifest from '../../package.json';
import { shakeHands } from '../model/handshake';
import { advise } from '../widgets/advice';

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
