import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { LabModel } from '../model/lab';
import { useChanges } from './useChanges';
import { wordAbsence } from './words';

interface IInsightsProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
}

/** The newest insights, each with how sure it is. */
export function InsightsView({
  model,
  trans
}: IInsightsProps): React.JSX.Element {
  const { value: insights, error } = model.insights;
  useChanges(model.insights.changed, model.connection.changed);
  return (
    <div className="hx-Section">
      {error && (
        <p role="status">
          {trans.__('The insights could not be read: %1', error.message)}
        </p>
      )}
      {!insights && !error && (
        <p>{wordAbsence(model.connection.reach, trans)}</p>
      )}
      {insights?.length === 0 && (
        <p>{trans.__('None yet. They come when conversations end.')}</p>
      )}
      <ul aria-label={trans.__('Insights')}>
        {insights?.map(({ insight_id, description, impact, confidence }) => (
          <li key={insight_id}>
            <span>{description}</span>
            <p className="hx-Detail">
              {trans.__(
                'impact %1, confidence %2 %',
                impact,
                Math.round(confidence * 100)
              )}
            </p>
          </li>
        ))}
      </ul>
    </div>
  );
}
