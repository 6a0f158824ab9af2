import { ApiError, type IInfo } from '../api';
import type { Watched } from './watched';

/** How the server answered the question "are you the Helix Lab that I was built for?". */
export type Handshake =
  | { readonly kind: 'asking' }
  | { readonly kind: 'agreed' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'silent'; readonly reason: string }
  | {
      readonly kind: 'other-version';
      readonly server: string;
      readonly browser: string;
    };

/** What the last answer to `GET /v1/info` means for a front end of version `browser`. */
export function judgeHandshake(
  browser: string,
  { value, error }: Pick<Watched<IInfo>, 'value' | 'error'>
): Handshake {
  if (error !== null) {
    return isAbsent(error)
      ? { kind: 'missing' }
      : { kind: 'silent', reason: error.message };
  }
  if (value === null) {
    return { kind: 'asking' };
  }
  return value.version === browser
    ? { kind: 'agreed' }
    : { kind: 'other-version', server: value.version, browser };
}

/** Jupyter answers an unknown path with its own 404 page, which is not JSON of ours. */
function isAbsent(error: Error): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 404 || error.code === 'not_json')
  );
}
