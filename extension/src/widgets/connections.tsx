import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IInfo, IProviderRecord } from '../api';
import {
  type IProvider,
  type IStore,
  listProviders,
  listStores
} from '../model/connections';
import type { IWording } from './words';

interface IStoresProps {
  readonly info: IInfo;
  readonly trans: TranslationBundle;
}

/** How far the stores follow the log, and what to do about one that stands still. */
export function StoresView({ info, trans }: IStoresProps): React.JSX.Element {
  const rows = listStores(info).map(store => ({
    name: store.name,
    state: store.state,
    wording: wordStore(store, trans)
  }));
  return (
    <StateTable
      title={trans.__('Store')}
      state={trans.__('State')}
      {...{ rows }}
    />
  );
}

interface IProvidersProps extends IStoresProps {
  readonly records: readonly IProviderRecord[] | null;
}

/** What is known of each provider; nobody is called to find out. */
export function ProvidersView({
  info,
  records,
  trans
}: IProvidersProps): React.JSX.Element {
  const rows = listProviders(info, records).map(provider => ({
    name: provider.name,
    state: provider.state,
    wording: wordProvider(provider, trans)
  }));
  return (
    <StateTable
      title={trans.__('Provider')}
      state={trans.__('Debates of the last 24 hours')}
      {...{ rows }}
    />
  );
}

interface IStateTableProps {
  readonly title: string;
  readonly state: string;
  readonly rows: readonly {
    readonly name: string;
    readonly state: string;
    readonly wording: IWording;
  }[];
}

function StateTable({
  title,
  state,
  rows
}: IStateTableProps): React.JSX.Element {
  return (
    <table className="hx-Health-services">
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">{state}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td data-state={row.state}>
              <span aria-hidden="true">{row.wording.sign}</span>{' '}
              {row.wording.text}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function wordStore(store: IStore, trans: TranslationBundle): IWording {
  switch (store.state) {
    case 'level':
      return { sign: '✓', text: trans.__('level with the log') };
    case 'behind':
      return {
        sign: '…',
        text: trans._n(
          '%2 event behind the log',
          '%2 events behind the log',
          store.lag,
          store.lag.toLocaleString()
        )
      };
    case 'halted':
      return {
        sign: '✕',
        text: trans.__(
          'stands still, %1 behind the log: %2. It goes on by itself once the cause is mended.',
          store.lag.toLocaleString(),
          store.fault
        )
      };
  }
}

function wordProvider(provider: IProvider, trans: TranslationBundle): IWording {
  const answered = provider.answered.toLocaleString();
  const asked = provider.asked.toLocaleString();
  switch (provider.state) {
    case 'blocked':
      return {
        sign: '✕',
        text: trans.__('cannot answer: %1', provider.problem)
      };
    case 'unknown':
      return { sign: '–', text: trans.__('not known') };
    case 'unused':
      return { sign: '–', text: trans.__('not asked') };
    case 'failing':
      return { sign: '✕', text: trans.__('answered none of %1', asked) };
    case 'answering':
      return {
        sign: '✓',
        text: trans.__('answered %1 of %2', answered, asked)
      };
  }
}
