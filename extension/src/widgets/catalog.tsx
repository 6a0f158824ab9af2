import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import type { IColumn, ITopic } from '../api';
import { type ITable, quoteName } from '../model/catalog';
import type { LabModel } from '../model/lab';
import { useChanges } from './useChanges';
import { wordAbsence } from './words';

interface ICatalogProps {
  readonly model: LabModel;
  readonly trans: TranslationBundle;
  readonly insert: (name: string) => void;
}

/** Tables that open to their columns; each name can be put into the active cell. */
export function CatalogView(props: ICatalogProps): React.JSX.Element {
  const { model, trans } = props;
  const { value: tables } = model.catalog;
  const { value: topics } = model.topics;
  const error = model.catalog.error ?? model.topics.error;
  useChanges(
    model.catalog.changed,
    model.topics.changed,
    model.connection.changed
  );
  return (
    <div className="hx-Section">
      {error && (
        <p role="status">
          {trans.__('The catalog could not be read: %1', error.message)}
        </p>
      )}
      {!tables && !error && <p>{wordAbsence(model.connection.reach, trans)}</p>}
      {tables && <TablesView tables={tables} {...props} />}
      {topics && <TopicsView topics={topics} trans={trans} />}
    </div>
  );
}

function TablesView({
  tables,
  ...props
}: ICatalogProps & { readonly tables: readonly ITable[] }): React.JSX.Element {
  const { trans } = props;
  return (
    <>
      <h3 className="hx-Heading">{trans.__('Tables')}</h3>
      {tables.length === 0 && <p>{trans.__('There is no table yet.')}</p>}
      {tables.map(table => (
        <TableView key={table.name} table={table} {...props} />
      ))}
    </>
  );
}

function TopicsView({
  topics,
  trans
}: {
  readonly topics: readonly ITopic[];
  readonly trans: TranslationBundle;
}): React.JSX.Element {
  return (
    <>
      <h3 className="hx-Heading">{trans.__('Topics')}</h3>
      <ul className="hx-Catalog-topics" aria-label={trans.__('Topics')}>
        {topics.map(({ topic, events }) => (
          <li key={topic}>
            <span className="hx-Catalog-name">{topic}</span>
            <span className="hx-Detail">
              {trans._n(
                '%2 event',
                '%2 events',
                events,
                events.toLocaleString()
              )}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** A table; its columns are drawn while it is open, for there may be hundreds. */
function TableView({
  table,
  trans,
  insert
}: ICatalogProps & { readonly table: ITable }): React.JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="hx-Catalog-table">
      <details
        onToggle={event => {
          setOpen(event.currentTarget.open);
        }}
      >
        <summary>{table.name}</summary>
        <ul aria-label={trans.__('Columns of %1', table.name)}>
          {(isOpen ? table.columns : []).map(column => (
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
