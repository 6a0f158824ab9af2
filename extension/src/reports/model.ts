import type { ServerConnection } from '@jupyterlab/services';

import { ApiError } from '../answer';
import type { IRun } from '../api';
import { toError, Watched } from '../model/watched';
import {
  deleteSchedule,
  type IReport,
  type ISchedule,
  listReports,
  listSchedules,
  runReport,
  scheduleReport,
  switchSchedule
} from './api';
import { readValues, type Typed } from './parameters';

/** Why something was refused, and at which field; null is none of them. */
export interface IRefusal {
  readonly field: string | null;
  readonly message: string;
}

/** What was made, or why it was not. */
export type Outcome<T> =
  | { readonly made: T; readonly refusal: null }
  | { readonly made: null; readonly refusal: IRefusal };

/** When a report is to run, as it was typed. */
export interface ITimes {
  readonly cron: string;
  readonly timezone: string;
}

/** The reports of the lab and their schedules. */
export class ReportsModel {
  readonly reports: Watched<readonly IReport[]>;
  readonly schedules: Watched<readonly ISchedule[]>;

  constructor(readonly settings: ServerConnection.ISettings) {
    this.reports = new Watched(() => listReports(settings));
    this.schedules = new Watched(() => listSchedules(settings));
  }

  /** Ask for everything again; never throws. */
  async refresh(): Promise<void> {
    await Promise.all([this.reports.refresh(), this.schedules.refresh()]);
  }

  /** Run a report with what was typed; never throws. */
  run(report: IReport, typed: Typed): Promise<Outcome<IRun>> {
    const values = readValues(report.parameters, typed);
    return attempt(() => runReport(this.settings, report.name, values));
  }

  /** Let a report run by itself with what was typed; never throws. */
  async schedule(
    report: IReport,
    times: ITimes,
    typed: Typed
  ): Promise<Outcome<ISchedule>> {
    const parameters = readValues(report.parameters, typed);
    const outcome = await attempt(() =>
      scheduleReport(this.settings, report.name, { ...times, parameters })
    );
    await this.schedules.refresh();
    return outcome;
  }

  /** Pause, resume or delete a schedule. Throws what the server answered if it refuses. */
  async change(
    schedule: ISchedule,
    action: 'pause' | 'resume' | 'delete'
  ): Promise<void> {
    try {
      await (action === 'delete'
        ? deleteSchedule(this.settings, schedule.schedule_id)
        : switchSchedule(this.settings, schedule.schedule_id, action));
    } finally {
      await this.schedules.refresh();
    }
  }
}

async function attempt<T>(make: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { made: await make(), refusal: null };
  } catch (thrown) {
    const field = thrown instanceof ApiError ? thrown.field : null;
    const { message } = toError(thrown);
    return { made: null, refusal: { field, message } };
  }
}

/** The name of the parameter at fault, or of the field of the schedule; null is none of them. */
export function parameterAt(refusal: IRefusal | null): string | null {
  const field = refusal?.field ?? null;
  return field === null ? null : field.replace(/^(parameters|secrets)\./, '');
}
