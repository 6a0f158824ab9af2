import type { TranslationBundle } from '@jupyterlab/translation';

import type { Handshake } from '../model/handshake';

/**
 * What the user should do; empty when all is well.
 *
 * JupyterLab shows the first 140 characters of a notification: the advice fits, what varies is last.
 */
export function advise(outcome: Handshake, trans: TranslationBundle): string {
  switch (outcome.kind) {
    case 'asking':
    case 'agreed':
      return '';
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
