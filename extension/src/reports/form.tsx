import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import type { IRun } from '../api';
import type { IReport, ISchedule } from './api';
import { Field, ParameterControl } from './field';
import { type IRefusal, type ITimes, type Outcome, parameterAt } from './model';
import type { Typed } from './parameters';

interface IFormProps {
  readonly id: string;
  readonly report: IReport;
  readonly trans: TranslationBundle;
  readonly run: (typed: Typed) => Promise<Outcome<IRun>>;
  readonly schedule: (
    times: ITimes,
    typed: Typed
  ) => Promise<Outcome<ISchedule>>;
  readonly onRun: (run: IRun) => void;
}

/** Asks for the parameters of a report, made from their JSON Schema. */
export function ReportForm(props: IFormProps): React.JSX.Element {
  const { id, report, trans } = props;
  const [typed, setTyped] = useState<Typed>({});
  const [refusal, setRefusal] = useState<IRefusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const at = parameterAt(refusal);
  const names = [...report.parameters.map(({ name }) => name), ...TIMES];
  const fieldAtFault = at !== null && names.includes(at) ? at : null;
  const faultOf = (name: string) =>
    name === fieldAtFault ? (refusal?.message ?? null) : null;
  useEffect(() => {
    if (fieldAtFault !== null) {
      document.getElementById(`${id}-${fieldAtFault}`)?.focus();
    }
  }, [refusal]);

  const attempt = async <T,>(
    ask: () => Promise<Outcome<T>>,
    onMade: (made: T) => void
  ): Promise<void> => {
    setBusy(true);
    const { made, refusal } = await ask();
    setBusy(false);
    setRefusal(refusal);
    if (made !== null) {
      onMade(made);
    }
  };

  return (
    <form
      id={id}
      className="hx-ReportForm"
      aria-label={trans.__('Parameters of %1', report.title)}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void attempt(() => props.run(typed), props.onRun);
      }}
    >
      {report.parameters.map(parameter => (
        <Field
          key={parameter.name}
          id={`${id}-${parameter.name}`}
          label={parameter.name}
          hint={parameter.description}
          fault={faultOf(parameter.name)}
          isRequired={parameter.isRequired}
          control={ties => (
            <ParameterControl
              {...{ parameter, ties, trans }}
              value={typed[parameter.name] ?? parameter.preset}
              onChange={value => {
                setTyped({ ...typed, [parameter.name]: value });
              }}
            />
          )}
        />
      ))}
      <p role="alert" className="hx-Field-fault">
        {refusal !== null && fieldAtFault === null && `✕ ${refusal.message}`}
      </p>
      <button className="hx-Button" type="submit" disabled={isBusy}>
        {trans.__('Run')}
      </button>
      <TimesForm
        {...{ id, isBusy, faultOf, trans }}
        schedule={(times, onMade) => {
          void attempt(() => props.schedule(times, typed), onMade);
        }}
      />
    </form>
  );
}

const TIMES = ['cron', 'timezone'] as const;

interface ITimesFormProps {
  readonly id: string;
  readonly isBusy: boolean;
  readonly trans: TranslationBundle;
  readonly faultOf: (name: string) => string | null;
  readonly schedule: (times: ITimes, onMade: (made: ISchedule) => void) => void;
}

/** Asks when a report is to run by itself. */
function TimesForm(props: ITimesFormProps): React.JSX.Element {
  const { id, isBusy, trans, faultOf } = props;
  const [times, setTimes] = useState<ITimes>(() => ({
    cron: '0 7 * * 1',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
  }));
  const [made, setMade] = useState<ISchedule | null>(null);
  const words = {
    cron: {
      label: trans.__('Times'),
      hint: trans.__(
        'Minute, hour, day of month, month, day of week: 0 7 * * 1 is Mondays at seven.'
      )
    },
    timezone: {
      label: trans.__('Time zone'),
      hint: trans.__('Such as Europe/Berlin.')
    }
  };
  return (
    <details className="hx-ReportForm-times">
      <summary>{trans.__('Run it by itself')}</summary>
      {TIMES.map(name => (
        <Field
          key={name}
          id={`${id}-${name}`}
          {...words[name]}
          fault={faultOf(name)}
          isRequired={true}
          control={ties => (
            <input
              {...ties}
              type="text"
              value={times[name]}
              onChange={event => {
                setTimes({ ...times, [name]: event.target.value });
              }}
            />
          )}
        />
      ))}
      <button
        className="hx-Button"
        type="button"
        disabled={isBusy}
        onClick={() => {
          props.schedule(times, setMade);
        }}
      >
        {trans.__('Schedule')}
      </button>
      <p role="status" className="hx-Detail">
        {made !== null &&
          trans.__('Scheduled: %1 (%2).', made.meaning, made.timezone)}
      </p>
    </details>
  );
}
