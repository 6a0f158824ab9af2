import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { IDebate, IRun, ITurn } from '../api';
import { type IFile, listFiles } from '../model/results';
import { formatDuration, measureDuration_ms } from '../model/runs';
import { wordRunState } from './words';

interface IResultProps {
  readonly run: IRun;
  /** What was said, when the run is a debate. */
  readonly debate: IDebate | null;
  readonly trans: TranslationBundle;
  readonly open: (file: IFile) => void;
}

/** A tab that tells how a run ended and what it found; all of it is shown as text. */
export function makeResult(props: IResultProps): MainAreaWidget<ReactWidget> {
  const content = ReactWidget.create(<ResultView {...props} />);
  content.addClass('hx-Result');
  // The view can be scrolled by keyboard.
  content.node.tabIndex = 0;
  return new MainAreaWidget({ content });
}

function ResultView(props: IResultProps): React.JSX.Element {
  const { run, debate, trans } = props;
  const { sign, text } = wordRunState(run.state, trans);
  return (
    <article>
      <h1>{debate?.topic ?? `${run.kind} ${run.run_id}`}</h1>
      <p>
        <span aria-hidden="true">{sign}</span> {text} – {run.kind} {run.run_id}
        {tellTimes(run, trans)}
      </p>
      {run.error && (
        <p>
          {run.error.message} ({run.error.code})
        </p>
      )}
      {debate && <DebateView debate={debate} trans={trans} />}
      <FilesView {...props} />
      {run.result && (
        <section>
          <h2>{trans.__('Summary')}</h2>
          <ValuesView values={run.result} label={trans.__('Summary')} />
        </section>
      )}
    </article>
  );
}

function FilesView({
  run,
  trans,
  open
}: IResultProps): React.JSX.Element | null {
  const files = listFiles(run);
  if (files.length === 0) {
    return null;
  }
  return (
    <section>
      <h2>{trans.__('Files')}</h2>
      <ul aria-label={trans.__('Files')}>
        {files.map(file => (
          <li key={file.name}>
            <button
              className="hx-Button"
              onClick={() => {
                open(file);
              }}
            >
              {wordFile(file, trans)}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function DebateView({
  debate,
  trans
}: {
  readonly debate: IDebate;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <>
      <section>
        <h2>{trans.__('Answer')}</h2>
        {debate.winner && (
          <p>{tellWinner(debate.winner, debate.confidence, trans)}</p>
        )}
        <p className="hx-Result-text">
          {debate.verdict ?? trans.__('There is no answer.')}
        </p>
        {debate.reason && <p className="hx-Detail">{debate.reason}</p>}
      </section>
      <section>
        <h2>{trans.__('Turns')}</h2>
        {debate.turns.map((turn, position) => (
          <TurnView key={position} turn={turn} trans={trans} />
        ))}
      </section>
    </>
  );
}

function TurnView({
  turn,
  trans
}: {
  readonly turn: ITurn;
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  const { round, role, seat, provider, model } = turn;
  return (
    <section>
      <h3>
        {trans.__(
          'Round %1, %2: %3 (%4, %5)',
          round,
          role,
          seat,
          provider,
          model
        )}
      </h3>
      <p className="hx-Result-text">
        {turn.text ?? turn.error_message ?? trans.__('Nothing was said.')}
      </p>
    </section>
  );
}

/** Names and values; what has parts of its own is shown as JSON. */
function ValuesView({
  values,
  label
}: {
  readonly values: Readonly<Record<string, unknown>>;
  readonly label: string;
}): React.JSX.Element {
  return (
    <table className="hx-Result-values" aria-label={label}>
      <tbody>
        {Object.entries(values).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="hx-Result-text">{writeValue(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function tellTimes(run: IRun, trans: TranslationBundle): string {
  const duration_ms = measureDuration_ms(run, Date.now());
  return run.started_at === null || duration_ms === null
    ? ''
    : trans.__(
        ', began %1, took %2',
        new Date(run.started_at).toLocaleString(),
        formatDuration(duration_ms)
      );
}

function tellWinner(
  winner: { readonly seat: string; readonly provider: string },
  confidence: number | null,
  trans: TranslationBundle
): string {
  return confidence === null
    ? trans.__('%1 (%2) wins.', winner.seat, winner.provider)
    : trans.__(
        '%1 (%2) wins with a confidence of %3 %.',
        winner.seat,
        winner.provider,
        Math.round(confidence * 100)
      );
}

function wordFile({ name, form }: IFile, trans: TranslationBundle): string {
  switch (form) {
    case 'page':
      return trans.__('Open %1', name);
    case 'notebook':
      return trans.__('Open a copy of %1', name);
    case 'download':
      return trans.__('Save %1', name);
  }
}

function writeValue(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? JSON.stringify(value, null, 2)
    : String(value);
}
