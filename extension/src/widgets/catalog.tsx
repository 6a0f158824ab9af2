import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { IColumn } from '../api';
import { type ITable, quoteName } from '../model/catalog';
import type { LabModel } from '../model/lab';
import { useChanges } from './useChanges';

interface ICatalogProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
  readonly insert: (name: string) => void;
}

/** Tables that open to their columns; each name can be put into the active cell. */
export function CatalogView(props: ICatalogProps): React.JSX.Element {
  const { model, trans } = props;
  const { value: tables, error } = model.catalog;
  useChanges(model.catalog.changed);
  return (
    <div className="hx-Section">
      {error && (
        <p role="status">
          {trans.__('The catalog could not be read: %1', error.message)}
        </p>
      )}
      {!tables && !error && <p>{trans.__('Asking…')}</p>}
      {tables?.length === 0 && <p>{trans.__('There is no table yet.')}</p>}
      {tables?.map(table => (
        <TableView key={table.name} table={table} {...props} />
      ))}
    </div>
  );
}

function TableView({
  table,
  trans,
  insert
}: ICatalogProps & { readonly table: ITable }): React.JSX.Element {
  return (
    <div className="hx-Catalog-table">
      <details>
        <summary>{table.name}</summary>
        <ul aria-label={trans.__('Columns of %1', table.name)}>
          {table.columns.map(column => (
            <ColumnView
              key={column.column}
              column={column}
              trans={trans}
              insert={insert}
            />
          ))}
        </ul>
      </details>
      <InsertButton name={table.name} trans={trans} insert={insert} />
    </div>
  );
}

function ColumnView({
  column,
  trans,
  insert
}: Omit<ICatalogProps, 'model'> & {
  readonly column: IColumn;
}): React.JSX.Element {
  return (
    <li title={column.comment ?? undefined}>
      <span className="hx-Catalog-name">{column.column}</span>
      <span className="hx-Detail">{column.type}</span>
      <InsertButton name={column.column} trans={trans} insert={insert} />
    </li>
  );
}

function InsertButton({
  name,
  trans,
  insert
}: Omit<ICatalogProps, 'model'> & {
  readonly name: string;
}): React.JSX.Element {
  const label = trans.__('Insert %1 into the active cell', name);
  return (
    <button
      className="hx-Button hx-mod-small"
      aria-label={label}
      title={label}
      onClick={() => {
        insert(quoteName(name));
      }}
    >
      <span aria-hidden="true">+</span>
    </button>
  );
}
