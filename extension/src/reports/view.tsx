import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import type { IRun } from '../api';
import type { LabModel } from '../model/lab';
import { hasEnded } from '../model/runs';
import { useChanges } from '../widgets/useChanges';
import { wordRunState } from '../widgets/words';
import type { IReport } from './api';
import { ReportForm } from './form';
import { SchedulesView } from './schedules';

interface IReportsProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
  /** Open what a run made; called once it has ended. */
  readonly open: (report: IReport, run: IRun) => void;
}

/** The reports of the lab, each with a form that runs or schedules it. */
export function ReportsView(props: IReportsProps): React.JSX.Element {
  const { model, trans } = props;
  const { reports } = model.reports;
  useChanges(reports.changed);
  return (
    <div className="hx-Section">
      {reports.error !== null && (
        <p role="status">
          {trans.__('The reports could not be read: %1', reports.error.message)}
        </p>
      )}
      <ul aria-label={trans.__('Reports')}>
        {reports.value?.map(report => (
          <ReportRow key={report.name} {...props} report={report} />
        ))}
      </ul>
      <p className="hx-Report-heading">{trans.__('Schedules')}</p>
      <SchedulesView model={model.reports} trans={trans} />
    </div>
  );
}

interface IRowProps extends IReportsProps {
  readonly report: IReport;
}

function ReportRow(props: IRowProps): React.JSX.Element {
  const { report, model, trans } = props;
  const [isOpen, setOpen] = useState(false);
  const [run, setRun] = useState<IRun | null>(null);
  const id = `hx-report-${report.name}`;
  return (
    <li className="hx-Report" data-report={report.name}>
      <button
        className="hx-Button"
        aria-expanded={isOpen}
        aria-controls={id}
        disabled={report.problem !== null}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        {report.title}
      </button>
      <p className="hx-Detail">
        {report.problem === null
          ? report.question
          : trans.__('It cannot run: %1', report.problem)}
      </p>
      {isOpen && (
        <ReportForm
          {...{ id, report, trans }}
          run={typed => model.reports.run(report, typed)}
          schedule={(times, typed) =>
            model.reports.schedule(report, times, typed)
          }
          onRun={started => {
            setRun(started);
            void model.runs.refresh();
          }}
        />
      )}
      {run !== null && <LastRun {...props} run={run} />}
    </li>
  );
}

/** How the run goes that was started here. */
function LastRun(props: IRowProps & { readonly run: IRun }): React.JSX.Element {
  const { report, model, trans, open } = props;
  useChanges(model.runs.changed);
  const { run_id } = props.run;
  const run =
    model.runs.runs.find(known => known.run_id === run_id) ?? props.run;
  const { sign, text } = wordRunState(run.state, trans);
  return (
    <div className="hx-Report-run">
      <p role="status" data-state={run.state}>
        <span aria-hidden="true">{sign}</span>{' '}
        {run.error === null ? text : `${text}: ${run.error.message}`}
      </p>
      {hasEnded(run) && (
        <button
          className="hx-Button hx-mod-small"
          aria-label={trans.__('Open the result of %1', report.title)}
          onClick={() => {
            open(report, run);
          }}
        >
          {trans.__('Open Result')}
        </button>
      )}
    </div>
  );
}
