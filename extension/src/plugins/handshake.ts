import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';

import type { LabModel } from '../model/lab';
import { ILabModel } from '../tokens';
import { advise } from '../widgets/advice';

/** Says once what to do when this front end and the server do not belong together. */
export const handshake: JupyterFrontEndPlugin<void> = {
  id: '@helix-lab/extension:handshake',
  description:
    'Checks that the Helix Lab server extension is there and of the same version.',
  autoStart: true,
  requires: [ILabModel],
  optional: [ITranslator],
  activate: (_app, model: LabModel, translator: ITranslator | null) => {
    watchHandshake(model, (translator ?? nullTranslator).load('helix_lab'));
  }
};

/** One notice for each outcome; it goes when the next outcome comes. */
function watchHandshake(model: LabModel, trans: TranslationBundle): void {
  let told = '';
  let hasAgreed = false;
  let notice = '';
  model.info.changed.connect(() => {
    const outcome = model.handshake;
    hasAgreed ||= outcome.kind === 'agreed';
    // A server that went away later is a matter of the panel, which waits for it.
    const isKnown = outcome.kind === 'silent' && (hasAgreed || told !== '');
    const advice = isKnown ? told : advise(outcome, trans);
    if (advice === told) {
      return;
    }
    told = advice;
    if (notice !== '') {
      Notification.dismiss(notice);
    }
    notice = advice && Notification.warning(advice, { autoClose: false });
  });
}
