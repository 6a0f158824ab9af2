import type { TranslationBundle } from '@jupyterlab/translation';
import { TextItem } from '@jupyterlab/statusbar';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import type { Connection } from '../model/connection';
import { useChanges } from './useChanges';
import { wordReach } from './words';

interface IStatusProps {
  readonly connection: Connection;
  readonly trans: TranslationBundle;
  readonly open: () => void;
}

/** The item of the status bar: how the lab is; it opens the panel. */
export function makeStatusItem(props: IStatusProps): ReactWidget {
  const item = ReactWidget.create(<StatusView {...props} />);
  item.id = 'helix-lab-status';
  return item;
}

function StatusView({
  connection,
  trans,
  open
}: IStatusProps): React.JSX.Element {
  useChanges(connection.changed);
  const { sign, text } = wordReach(connection.reach, trans);
  return (
    <TextItem
      className="hx-Status"
      role="button"
      tabIndex={0}
      title={trans.__('Helix Lab is %1. Show its panel.', text)}
      source={`${sign} ${trans.__('Helix Lab')}: ${text}`}
      onClick={open}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          open();
        }
      }}
    />
  );
}
