import { ServerConnection } from '@jupyterlab/services';

import { ApiError, getInfo } from '../api';

/** How the server answered the question "are you the Helix Lab that I was built for?". */
export type Handshake =
  | { readonly kind: 'agreed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'other-version';
      readonly server: string;
      readonly browser: string;
    };

/** Ask the server who it is. Every outcome is a value: it never throws. */
export async function shakeHands(
  browser: string,
  settings: ServerConnection.ISettings
): Promise<Handshake> {
  try {
    const { version: server } = await getInfo(settings);
    return server === browser
      ? { kind: 'agreed' }
      : { kind: 'other-version', server, browser };
  } catch (error) {
    if (error instanceof ApiError && isAbsent(error)) {
      return { kind: 'missing' };
    }
    return {
      kind: 'silent',
      reason: error instanceof Error ? error.message : String(error)
    };
  }
}

/** Jupyter answers an unknown path with its own 404 page, which is not JSON of ours. */
function isAbsent(error: ApiError): boolean {
  return error.status === 404 || error.code === 'not_json';
}
