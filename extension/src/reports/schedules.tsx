import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { toError } from '../model/watched';
import { useChanges } from '../widgets/useChanges';
import type { ISchedule } from './api';
import type { ReportsModel } from './model';

interface ISchedulesProps {
  readonly model: ReportsModel;
  readonly trans: TranslationBundle;
}

/** When reports run by themselves; each can be paused, resumed and deleted. */
export function SchedulesView(props: ISchedulesProps): React.JSX.Element {
  const { model, trans } = props;
  useChanges(model.schedules.changed);
  const [fault, setFault] = useState<string | null>(null);
  const change = (
    schedule: ISchedule,
    action: 'pause' | 'resume' | 'delete'
  ) => {
    model.change(schedule, action).then(
      () => {
        setFault(null);
      },
      (thrown: unknown) => {
        setFault(toError(thrown).message);
      }
    );
  };
  const schedules = model.schedules.value ?? [];
  if (schedules.length === 0) {
    return (
      <p className="hx-Detail">{trans.__('No report runs by itself yet.')}</p>
    );
  }
  return (
    <>
      <p role="alert" className="hx-Field-fault">
        {fault !== null && trans.__('The schedule was not changed: %1', fault)}
      </p>
      <ul aria-label={trans.__('Schedules')}>
        {schedules.map(schedule => (
          <ScheduleRow
            key={schedule.schedule_id}
            {...{ schedule, trans }}
            change={action => {
              change(schedule, action);
            }}
          />
        ))}
      </ul>
    </>
  );
}

interface IRowProps {
  readonly schedule: ISchedule;
  readonly trans: TranslationBundle;
  readonly change: (action: 'pause' | 'resume' | 'delete') => void;
}

function ScheduleRow(props: IRowProps): React.JSX.Element {
  const { schedule, trans, change } = props;
  const { report, meaning, timezone, next_at, problem } = schedule;
  const isPaused = next_at === null;
  return (
    <li data-schedule={schedule.schedule_id}>
      <p>{trans.__('%1: %2 (%3)', report, meaning, timezone)}</p>
      <p className="hx-Detail">
        {isPaused
          ? trans.__('paused')
          : trans.__('next %1', new Date(next_at).toLocaleString())}
      </p>
      {problem !== null && (
        <p className="hx-Detail">
          {trans.__('The last time made no run: %1', problem)}
        </p>
      )}
      <button
        className="hx-Button hx-mod-small"
        aria-label={
          isPaused
            ? trans.__('Resume the schedule of %1', report)
            : trans.__('Pause the schedule of %1', report)
        }
        onClick={() => {
          change(isPaused ? 'resume' : 'pause');
        }}
      >
        {isPaused ? trans.__('Resume') : trans.__('Pause')}
      </button>{' '}
      <button
        className="hx-Button hx-mod-small"
        aria-label={trans.__('Delete the schedule of %1', report)}
        onClick={() => {
          change('delete');
        }}
      >
        {trans.__('Delete')}
      </button>
    </li>
  );
}
