import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IDashboard } from '../api';
import type { LabModel } from '../model/lab';
import { useChanges } from './useChanges';

interface IDashboardsProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
  readonly open: (dashboard: IDashboard) => void;
}

/** The dashboards that the server offers, each opened in a tab. */
export function DashboardsView(props: IDashboardsProps): React.JSX.Element {
  const { model, trans, open } = props;
  useChanges(model.dashboards.changed, model.info.changed);
  return (
    <ul className="hx-Section" aria-label={trans.__('Dashboards')}>
      {model.dashboards.value?.map(dashboard => (
        <li key={dashboard.name}>
          <button
            className="hx-Button"
            disabled={dashboard.how_to !== null || !model.isUsable}
            onClick={() => {
              open(dashboard);
            }}
          >
            {dashboard.title}
          </button>
          <p className="hx-Detail">{dashboard.how_to ?? dashboard.summary}</p>
        </li>
      ))}
    </ul>
  );
}
