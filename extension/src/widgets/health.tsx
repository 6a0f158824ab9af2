import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { LabModel } from '../model/lab';
import { advise } from './advice';
import { useChanges } from './useChanges';
import { ProvidersView, StoresView } from './connections';
import { adviseOnReach, wordReach, wordService } from './words';

interface IHealthProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
}

/** How the lab and each of its backends are. */
export function HealthView({ model, trans }: IHealthProps): React.JSX.Element {
  useChanges(
    model.connection.changed,
    model.info.changed,
    model.providers.changed
  );
  const { reach, health, reason } = model.connection;
  const info = model.info.value;
  const { sign, text } = wordReach(reach, trans);
  const { handshake } = model;
  const advice =
    handshake.kind === 'other-version'
      ? advise(handshake, trans)
      : adviseOnReach(reach, trans);
  return (
    <div className="hx-Section">
      <p className="hx-Health-reach" data-reach={reach} role="status">
        <span aria-hidden="true">{sign}</span> {trans.__('Helix Lab:')} {text}
      </p>
      {advice && <p>{advice}</p>}
      {reason && <p className="hx-Detail">{reason}</p>}
      {health && (
        <table className="hx-Health-services">
          <thead>
            <tr>
              <th scope="col">{trans.__('Backend')}</th>
              <th scope="col">{trans.__('Technology')}</th>
              <th scope="col">{trans.__('State')}</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(health.services).map(([name, state]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{info?.backends[name] ?? ''}</td>
                <td data-state={state}>
                  <span aria-hidden="true">
                    {wordService(state, trans).sign}
                  </span>{' '}
                  {wordService(state, trans).text}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {health && info && (
        <>
          <StoresView info={info} trans={trans} />
          <ProvidersView
            info={info}
            records={model.providers.value}
            trans={trans}
          />
        </>
      )}
      {info && (
        <p className="hx-Detail">
          {trans.__('Node %1, version %2', info.node_id, info.version)}
        </p>
      )}
      <button
        className="hx-Button"
        onClick={() => {
          void model.refresh();
        }}
      >
        {trans.__('Check Again')}
      </button>
    </div>
  );
}
