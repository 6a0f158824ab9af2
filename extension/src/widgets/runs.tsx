import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useState } from 'react';

import type { IRun } from '../api';
import type { LabModel } from '../model/lab';
import { formatDuration, hasEnded, measureDuration_ms } from '../model/runs';
import { hasResult } from '../model/results';
import { useChanges, useNow_ms } from './useChanges';
import { useWindow } from './useWindow';
import { wordRunState } from './words';

interface IRunsProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
  readonly cancel: (runId: string) => void;
  readonly open: (runId: string) => void;
}

const ROW_PX = 52;
const AHEAD = 20;

/** Runs, newest first: only the rows in sight are drawn, older pages come with scrolling. */
export function RunsView({
  model,
  trans,
  cancel,
  open
}: IRunsProps): React.JSX.Element {
  const { runs } = model;
  useChanges(runs.changed, model.info.changed);
  const now_ms = useNow_ms(runs.unfinished.length > 0);
  const { frame, first, last } = useWindow(runs.runs.length, ROW_PX);
  useEffect(() => {
    if (runs.hasMore && last >= runs.runs.length - AHEAD) {
      void runs.loadMore();
    }
  }, [last, runs.runs.length]);
  return (
    <div className="hx-Runs">
      <LastChange model={model} trans={trans} />
      {runs.error && (
        <p className="hx-Section" role="status">
          {trans.__('The runs could not be read: %1', runs.error.message)}
        </p>
      )}
      {runs.isLoaded && runs.runs.length === 0 && (
        <p className="hx-Section">
          {trans.__('No runs yet. Debates and imports appear here.')}
        </p>
      )}
      <div
        className="hx-Runs-list"
        role="list"
        aria-label={trans.__('Runs')}
        tabIndex={0}
        {...frame}
      >
        <div role="none" style={{ height: runs.runs.length * ROW_PX }}>
          {runs.runs.slice(first, last).map((run, index) => (
            <RunRow
              key={run.run_id}
              run={run}
              position={first + index}
              count={runs.hasMore ? -1 : runs.runs.length}
              now_ms={now_ms}
              trans={trans}
              isUsable={model.isUsable}
              cancel={cancel}
              open={open}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface IRunRowProps extends Omit<IRunsProps, 'model'> {
  readonly run: IRun;
  readonly position: number;
  /** -1 while it is not known. */
  readonly count: number;
  readonly now_ms: number;
  readonly isUsable: boolean;
}

function RunRow(props: IRunRowProps): React.JSX.Element {
  const { run, position, trans, cancel, open } = props;
  const { sign, text } = wordRunState(run.state, trans);
  return (
    <div
      className="hx-Runs-row"
      role="listitem"
      aria-posinset={position + 1}
      aria-setsize={props.count}
      data-state={run.state}
      data-run={run.run_id}
      style={{ top: position * ROW_PX, height: ROW_PX }}
    >
      <div className="hx-Runs-line">
        <span className="hx-Runs-sign" aria-hidden="true">
          {sign}
        </span>
        <span className="hx-Runs-kind">{run.kind}</span>
        <span className="hx-Runs-state">
          {run.state === 'running'
            ? trans.__('%1, %2 %', text, Math.floor(run.progress * 100))
            : text}
        </span>
        {run.state === 'running' && (
          <progress
            value={run.progress}
            aria-label={trans.__('Progress of %1', run.run_id)}
          />
        )}
        {!hasEnded(run) && (
          <button
            className="hx-Button hx-mod-small"
            disabled={!props.isUsable}
            aria-label={trans.__('Cancel %1 %2', run.kind, run.run_id)}
            onClick={() => {
              cancel(run.run_id);
            }}
          >
            {trans.__('Cancel')}
          </button>
        )}
        {hasResult(run) && (
          <button
            className="hx-Button hx-mod-small"
            disabled={!props.isUsable}
            aria-label={trans.__(
              'Open the result of %1 %2',
              run.kind,
              run.run_id
            )}
            onClick={() => {
              open(run.run_id);
            }}
          >
            {trans.__('Open')}
          </button>
        )}
      </div>
      <div className="hx-Runs-line hx-Detail" title={describe(run)}>
        <span>{formatTime(run.created_at)}</span>
        <span>{durationOf(run, props.now_ms)}</span>
        <span className="hx-Runs-rest">{run.error?.message ?? run.run_id}</span>
      </div>
    </div>
  );
}

/** Tells screen readers when a run changed its state; nothing is seen. */
function LastChange({
  model,
  trans
}: Pick<IRunsProps, 'model' | 'trans'>): React.JSX.Element {
  const [run, setRun] = useState<IRun | null>(null);
  useEffect(() => {
    const onChange = (_: unknown, changed: IRun) => {
      setRun(changed);
    };
    model.runs.stateChanged.connect(onChange);
    return () => {
      model.runs.stateChanged.disconnect(onChange);
    };
  }, [model]);
  return (
    <p className="hx-OnlySpoken" role="status" aria-live="polite">
      {run &&
        `${run.kind} ${run.run_id}: ${wordRunState(run.state, trans).text}`}
    </p>
  );
}

function describe(run: IRun): string {
  return run.error === null
    ? run.run_id
    : `${run.run_id}: ${run.error.message} (${run.error.code})`;
}

function durationOf(run: IRun, now_ms: number): string {
  const duration_ms = measureDuration_ms(run, now_ms);
  return duration_ms === null ? '–' : formatDuration(duration_ms);
}

/** The time of day for what is of today, else the day as well. */
function formatTime(iso: string): string {
  const time = new Date(iso);
  return time.toDateString() === new Date().toDateString()
    ? time.toLocaleTimeString()
    : time.toLocaleString();
}
