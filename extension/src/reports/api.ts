import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { Fields } from '../answer';
import { getRun, type IRun, request } from '../api';
import { type IParameter, readParameters, type Values } from './parameters';

/** The page that every run of a report makes, also one that failed. */
const PAGE = 'report.html';

/** A notebook that can be run with parameters. */
export interface IReport {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly parameters: readonly IParameter[];
  /** Why it cannot run; null when it can. */
  readonly problem: string | null;
}

/** When a report runs by itself; times are ISO 8601 in UTC. */
export interface ISchedule {
  readonly schedule_id: string;
  readonly report: string;
  readonly cron: string;
  readonly meaning: string;
  readonly timezone: string;
  /** Null while it is paused. */
  readonly next_at: string | null;
  /** Why the last due time made no run; null when it made one. */
  readonly problem: string | null;
}

/** All reports by name; those that cannot run as well. */
export async function listReports(
  settings: ServerConnection.ISettings
): Promise<readonly IReport[]> {
  const fields = new Fields(await request('reports', {}, settings));
  return fields.list('reports', row => ({
    name: row.text('name'),
    title: row.text('title'),
    question: row.text('question'),
    parameters: readParameters(row.value('parameters')),
    problem: row.optionalText('problem')
  }));
}

/** Start a run of a report. */
export async function runReport(
  settings: ServerConnection.ISettings,
  name: string,
  parameters: Values
): Promise<IRun> {
  const answer = await post(pathOf(name, 'runs'), { parameters }, settings);
  // A run has one reader, so that its shape is known in one place.
  return getRun(settings, new Fields(answer).text('run_id'));
}

/** All schedules, oldest first. */
export async function listSchedules(
  settings: ServerConnection.ISettings
): Promise<readonly ISchedule[]> {
  const fields = new Fields(await request('schedules', {}, settings));
  return fields.list('schedules', readSchedule);
}

/** Let a report run by itself. */
export async function scheduleReport(
  settings: ServerConnection.ISettings,
  name: string,
  asked: {
    readonly cron: string;
    readonly timezone: string;
    readonly parameters: Values;
  }
): Promise<ISchedule> {
  const answer = await post(pathOf(name, 'schedules'), asked, settings);
  return readSchedule(new Fields(answer));
}

/** Let a schedule rest, or go on. */
export async function switchSchedule(
  settings: ServerConnection.ISettings,
  scheduleId: string,
  action: 'pause' | 'resume'
): Promise<void> {
  const path = `schedules/${encodeURIComponent(scheduleId)}/${action}`;
  await post(path, {}, settings);
}

/** Forget a schedule; its runs stay. */
export async function deleteSchedule(
  settings: ServerConnection.ISettings,
  scheduleId: string
): Promise<void> {
  const path = `schedules/${encodeURIComponent(scheduleId)}`;
  await request(path, { method: 'DELETE' }, settings);
}

/** Where the page of a run lies. */
export function pageOf(
  settings: ServerConnection.ISettings,
  runId: string
): string {
  const path = `v1/runs/${encodeURIComponent(runId)}/artifacts/${PAGE}`;
  return URLExt.join(settings.baseUrl, path);
}

function post(
  path: string,
  body: object,
  settings: ServerConnection.ISettings
): Promise<unknown> {
  const init = { method: 'POST', body: JSON.stringify(body) };
  return request(path, init, settings);
}

function pathOf(report: string, what: string): string {
  return `reports/${encodeURIComponent(report)}/${what}`;
}

function readSchedule(row: Fields): ISchedule {
  return {
    schedule_id: row.text('schedule_id'),
    report: row.text('report'),
    cron: row.text('cron'),
    meaning: row.text('meaning'),
    timezone: row.text('timezone'),
    next_at: row.optionalText('next_at'),
    problem: row.optionalText('problem')
  };
}
