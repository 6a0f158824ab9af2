import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { ApiError, Fields, isRecord } from './answer';

export { ApiError } from './answer';

/** The server probes its backends for two seconds at most. */
const HEALTH_LIMIT_MS = 8_000;
const LIMIT_MS = 60_000;

/** What `GET /v1/info` answers; `backends` names the technology of each. */
export interface IInfo {
  readonly name: string;
  readonly version: string;
  readonly node_id: string;
  readonly backends: Readonly<Record<string, string>>;
  readonly providers: readonly string[];
  /** Why a provider cannot answer, as far as that is known without asking it. */
  readonly provider_problems: Readonly<Record<string, string>>;
  /** How many events each store is behind the log. */
  readonly projection_lag: Readonly<Record<string, number>>;
  /** Why a store stands still, for those that do. */
  readonly projection_faults: Readonly<Record<string, string>>;
}

/** How a provider and model answered in a window of time. */
export interface IProviderRecord {
  readonly provider: string;
  readonly total_requests: number;
  /** From 0 to 1. */
  readonly success_rate: number;
}

export const SERVICE_STATES = ['connected', 'embedded', 'unreachable'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** What `GET /health` answers: each state comes from a fresh probe. */
export interface IHealth {
  readonly status: 'healthy' | 'degraded';
  readonly services: Readonly<Record<string, ServiceState>>;
}

/** One column that SQL can ask for. */
export interface IColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly comment: string | null;
}

/** A stream of the event log, and how many events it holds. */
export interface ITopic {
  readonly topic: string;
  readonly events: number;
}

export const RUN_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled'
] as const;
export type RunState = (typeof RUN_STATES)[number];

/** One execution of a job; times are ISO 8601 in UTC, `progress` goes from 0 to 1. */
export interface IRun {
  readonly run_id: string;
  readonly kind: string;
  readonly state: RunState;
  readonly progress: number;
  /** What it found; another form for each kind. */
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Names of the files that it made. */
  readonly artifacts: readonly string[];
  readonly created_at: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
}

/** Runs, newest first; without a cursor it is the last page. */
export interface IRunsPage {
  readonly runs: readonly IRun[];
  readonly next_cursor: string | null;
}

/** What a seat of a debate said, or why it said nothing. */
export interface ITurn {
  readonly round: number;
  readonly role: string;
  readonly seat: string;
  readonly provider: string;
  readonly model: string;
  readonly text: string | null;
  readonly error_message: string | null;
}

/** A debate with its turns and how it ended. */
export interface IDebate {
  readonly topic: string;
  readonly outcome: string | null;
  readonly winner: { readonly seat: string; readonly provider: string } | null;
  readonly confidence: number | null;
  readonly verdict: string | null;
  readonly reason: string | null;
  readonly turns: readonly ITurn[];
}

/** A page of charts, at a path below the base URL of the server. */
export interface IDashboard {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly path: string;
  /** What to do so that it can be opened; null when it can. */
  readonly how_to: string | null;
}

/** What the lab concluded from conversations and debates, in words. */
export interface IInsight {
  readonly insight_id: string;
  readonly description: string;
  readonly impact: string;
  readonly confidence: number;
}

/** Who is running on the server. */
export async function getInfo(
  settings: ServerConnection.ISettings
): Promise<IInfo> {
  const fields = new Fields(await request('info', {}, settings));
  return {
    name: fields.text('name'),
    version: fields.text('version'),
    node_id: fields.text('node_id'),
    backends: fields.record('backends', (all, name) => all.text(name)),
    providers: fields.value('providers') ? fields.texts('providers') : [],
    provider_problems: fields.recordIfAny('provider_problems', textOf),
    projection_lag: fields.recordIfAny('projection_lag', (all, name) =>
      all.number(name)
    ),
    projection_faults: fields.recordIfAny('projection_faults', textOf)
  };
}

/** How the providers answered in debates of the last 24 hours; nobody is asked for it. */
export async function listProviderRecords(
  settings: ServerConnection.ISettings
): Promise<readonly IProviderRecord[]> {
  const path = 'analytics/providers?window=24h';
  const fields = new Fields(await request(path, {}, settings));
  return fields.list('providers', row => ({
    provider: row.text('provider'),
    total_requests: row.number('total_requests'),
    success_rate: row.number('success_rate')
  }));
}

/** How each backend is. */
export async function getHealth(
  settings: ServerConnection.ISettings
): Promise<IHealth> {
  const url = URLExt.join(settings.baseUrl, 'health');
  const fields = new Fields(await ask(url, {}, settings, HEALTH_LIMIT_MS));
  return {
    status: fields.oneOf('status', ['healthy', 'degraded']),
    services: fields.record('services', (all, name) =>
      all.oneOf(name, SERVICE_STATES)
    )
  };
}

/** Every column of every table, in the order of the server. */
export async function listColumns(
  settings: ServerConnection.ISettings
): Promise<readonly IColumn[]> {
  const fields = new Fields(await request('catalog', {}, settings));
  return fields.list('columns', row => ({
    table: row.text('table'),
    column: row.text('column'),
    type: row.text('type'),
    comment: row.optionalText('comment')
  }));
}

/** Every topic, in the order of the server. */
export async function listTopics(
  settings: ServerConnection.ISettings
): Promise<readonly ITopic[]> {
  const fields = new Fields(await request('topics', {}, settings));
  return fields.list('topics', row => ({
    topic: row.text('topic'),
    events: row.number('events')
  }));
}

/** One page of runs, from the newest or from a cursor on. */
export async function listRuns(
  settings: ServerConnection.ISettings,
  options: { readonly limit: number; readonly cursor?: string }
): Promise<IRunsPage> {
  const query = URLExt.objectToQueryString({ ...options });
  const fields = new Fields(await request(`runs${query}`, {}, settings));
  return {
    runs: fields.list('runs', readRun),
    next_cursor: fields.optionalText('next_cursor')
  };
}

/** One run. */
export async function getRun(
  settings: ServerConnection.ISettings,
  runId: string
): Promise<IRun> {
  const path = `runs/${encodeURIComponent(runId)}`;
  return readRun(new Fields(await request(path, {}, settings)));
}

/** Ask a run to stop; the answer is the run as it is now, which may still be running. */
export async function cancelRun(
  settings: ServerConnection.ISettings,
  runId: string
): Promise<IRun> {
  const path = `runs/${encodeURIComponent(runId)}/cancel`;
  const init = { method: 'POST', body: '{}' };
  return readRun(new Fields(await request(path, init, settings)));
}

/** A debate; its run has the same id. */
export async function getDebate(
  settings: ServerConnection.ISettings,
  debateId: string
): Promise<IDebate> {
  const path = `debates/${encodeURIComponent(debateId)}`;
  const fields = new Fields(await request(path, {}, settings));
  return {
    topic: fields.text('topic'),
    outcome: fields.optionalText('outcome'),
    winner: fields.optional('winner', winner => ({
      seat: winner.text('seat'),
      provider: winner.text('provider')
    })),
    confidence: fields.optionalNumber('confidence'),
    verdict: fields.optionalText('verdict'),
    reason: fields.optionalText('reason'),
    turns: fields.list('turns', readTurn)
  };
}

/** Where a file of a run is: a page there can do nothing as its reader. */
export function locateArtifact(
  settings: ServerConnection.ISettings,
  runId: string,
  name: string
): string {
  return URLExt.join(settings.baseUrl, 'v1', pathOfArtifact(runId, name));
}

/** A file of a run that holds JSON. */
export async function getJsonArtifact(
  settings: ServerConnection.ISettings,
  runId: string,
  name: string
): Promise<unknown> {
  return request(pathOfArtifact(runId, name), {}, settings);
}

/** The dashboards of this server; null where it has none to offer. */
export async function listDashboards(
  settings: ServerConnection.ISettings
): Promise<readonly IDashboard[] | null> {
  try {
    const fields = new Fields(await request('dashboards', {}, settings));
    return fields.list('dashboards', row => ({
      name: row.text('name'),
      title: row.text('title'),
      summary: row.text('summary'),
      path: row.text('path'),
      how_to: row.optionalText('how_to')
    }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      return null;
    }
    throw error;
  }
}

const INSIGHTS_PATH = 'learning/insights?limit=5';
const LEARNS_NOT = [404, 503];

/** The newest insights of all users together; null where the server does not learn. */
export async function listNewestInsights(
  settings: ServerConnection.ISettings
): Promise<readonly IInsight[] | null> {
  try {
    const fields = new Fields(await request(INSIGHTS_PATH, {}, settings));
    return fields.list('insights', row => ({
      insight_id: row.text('insight_id'),
      description: row.text('description'),
      impact: row.text('impact'),
      confidence: row.number('confidence')
    }));
  } catch (error) {
    if (error instanceof ApiError && LEARNS_NOT.includes(error.status)) {
      return null;
    }
    throw error;
  }
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
  return ask(url, init, settings, LIMIT_MS);
}

/** A server that hangs is as good as away: what waits longer than the limit is given up. */
async function ask(
  url: string,
  init: RequestInit,
  settings: ServerConnection.ISettings,
  limit_ms: number
): Promise<unknown> {
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort(new Error(`no answer within ${limit_ms / 1000} s`));
  }, limit_ms);
  try {
    const limited = { ...init, signal: limit.signal };
    const response = await ServerConnection.makeRequest(url, limited, settings);
    return await read(url, response);
  } finally {
    clearTimeout(timer);
  }
}

async function read(url: string, response: Response): Promise<unknown> {
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

function textOf(fields: Fields, name: string): string {
  return fields.text(name);
}

function pathOfArtifact(runId: string, name: string): string {
  return `runs/${encodeURIComponent(runId)}/artifacts/${encodeURIComponent(name)}`;
}

function readTurn(fields: Fields): ITurn {
  return {
    round: fields.number('round'),
    role: fields.text('role'),
    seat: fields.text('seat'),
    provider: fields.text('provider'),
    model: fields.text('model'),
    text: fields.optionalText('text'),
    error_message: fields.optionalText('error_message')
  };
}

function readRun(fields: Fields): IRun {
  return {
    run_id: fields.text('run_id'),
    kind: fields.text('kind'),
    state: fields.oneOf('state', RUN_STATES),
    progress: fields.number('progress'),
    result: fields.optionalRecord('result'),
    error: fields.optional('error', error => ({
      code: error.text('code'),
      message: error.text('message')
    })),
    artifacts: fields.texts('artifacts'),
    created_at: fields.text('created_at'),
    started_at: fields.optionalText('started_at'),
    ended_at: fields.optionalText('ended_at')
  };
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
  const { code, message, details } = error;
  const field = isRecord(details) ? details['field'] : null;
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof message === 'string'
      ? message
      : `${response.status} ${response.statusText}`,
    typeof field === 'string' ? field : null
  );
}
