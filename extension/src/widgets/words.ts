import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunState, ServiceState } from '../api';
import type { Reach } from '../model/connection';

/** A state in words; the sign beside it says the same without colour. */
export interface IWording {
  readonly sign: string;
  readonly text: string;
}

export function wordRunState(
  state: RunState,
  trans: TranslationBundle
): IWording {
  switch (state) {
    case 'queued':
      return { sign: '…', text: trans.__('queued') };
    case 'running':
      return { sign: '▶', text: trans.__('running') };
    case 'succeeded':
      return { sign: '✓', text: trans.__('succeeded') };
    case 'failed':
      return { sign: '✕', text: trans.__('failed') };
    case 'cancelled':
      return { sign: '■', text: trans.__('cancelled') };
  }
}

export function wordService(
  state: ServiceState,
  trans: TranslationBundle
): IWording {
  switch (state) {
    case 'connected':
      return { sign: '✓', text: trans.__('connected') };
    case 'embedded':
      return { sign: '✓', text: trans.__('embedded') };
    case 'unreachable':
      return { sign: '✕', text: trans.__('not reachable') };
  }
}

export function wordReach(reach: Reach, trans: TranslationBundle): IWording {
  switch (reach) {
    case 'asking':
      return { sign: '…', text: trans.__('asking') };
    case 'connected':
      return { sign: '✓', text: trans.__('connected') };
    case 'degraded':
      return { sign: '!', text: trans.__('degraded') };
    case 'unreachable':
      return { sign: '✕', text: trans.__('not reachable') };
    case 'missing':
      return { sign: '✕', text: trans.__('not on this server') };
  }
}

/** What stands where nothing is known yet. */
export function wordAbsence(reach: Reach, trans: TranslationBundle): string {
  return reach === 'unreachable' || reach === 'missing'
    ? trans.__('Nothing is known: see Health.')
    : trans.__('Asking…');
}

/** What the user can do about it; empty when nothing need be done. */
export function adviseOnReach(reach: Reach, trans: TranslationBundle): string {
  switch (reach) {
    case 'asking':
    case 'connected':
      return '';
    case 'degraded':
      return trans.__(
        'A backend does not answer. Look at the log of the server for the reason.'
      );
    case 'unreachable':
      return trans.__(
        'The server does not answer. If it has stopped, start it again: this panel comes back by itself.'
      );
    case 'missing':
      return trans.__(
        'Run "jupyter server extension enable helix_lab_server", then restart the server.'
      );
  }
}
