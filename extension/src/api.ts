import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** What `GET /v1/info` answers. */
export interface IInfo {
  readonly name: string;
  readonly version: string;
  readonly node_id: string;
}

/** The server was reached and refused; `code` is one of the codes of the REST contract. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** Who is running on the server. */
export async function getInfo(
  settings: ServerConnection.ISettings
): Promise<IInfo> {
  const body = await request('info', {}, settings);
  return {
    name: readString(body, 'name'),
    version: readString(body, 'version'),
    node_id: readString(body, 'node_id')
  };
}

/**
 * Ask one endpoint below `v1/`, and give the parsed body.
 *
 * Throws `ApiError` when the server refuses or does not answer JSON, and
 * `ServerConnection.NetworkError` when it cannot be reached.
 */
export async function request(
  path: string,
  init: RequestInit,
  settings: ServerConnection.ISettings
): Promise<unknown> {
  const url = URLExt.join(settings.baseUrl, 'v1', path);
  const response = await ServerConnection.makeRequest(url, init, settings);
  const body = parse(await response.text());
  if (!response.ok) {
    throw refusal(response, body);
  }
  if (body === undefined) {
    throw new ApiError(
      response.status,
      'not_json',
      `${url} did not answer JSON`
    );
  }
  return body;
}

/** The body as JSON; `undefined`, which JSON cannot say, when it is something else. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function refusal(response: Response, body: unknown): ApiError {
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {};
  const { code, message } = error;
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof message === 'string'
      ? message
      : `${response.status} ${response.statusText}`
  );
}

function readString(body: unknown, field: string): string {
  const value = isRecord(body) ? body[field] : undefined;
  if (typeof value !== 'string') {
    throw new ApiError(
      200,
      'bad_answer',
      `the answer has no text field "${field}"`
    );
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
