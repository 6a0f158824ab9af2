import type { TranslationBundle } from '@jupyterlab/translation';
import React, { memo } from 'react';

import { useChanges } from '../widgets/useChanges';
import { type IColumn, type Row, isNumeric, showCell } from './data';
import type { TablePages } from './model';

interface IPagesProps {
  readonly pages: TablePages;
  readonly trans: TranslationBundle;
}

/** A result as a table that can be sorted, and paged through. */
export function TableView({ pages, trans }: IPagesProps): React.JSX.Element {
  useChanges(pages.changed);
  const { table, offset } = pages;
  const said = describe(pages, trans);
  return (
    <div className="hx-Table">
      <div
        className="hx-Table-scroll"
        role="region"
        aria-label={said}
        aria-busy={pages.isAsking}
        tabIndex={0}
      >
        <table>
          <caption>{said}</caption>
          <thead>
            <tr>
              <th scope="col" className="hx-mod-number">
                <span aria-hidden="true">#</span>
                <span className="hx-OnlySpoken">{trans.__('Row')}</span>
              </th>
              {table.columns.map((column, number) => (
                <Heading key={number} {...{ column, number, pages, trans }} />
              ))}
            </tr>
          </thead>
          <Body rows={pages.rows} columns={table.columns} offset={offset} />
        </table>
      </div>
      <Pager pages={pages} trans={trans} />
      <Notes pages={pages} trans={trans} />
    </div>
  );
}

interface IHeadingProps extends IPagesProps {
  readonly column: IColumn;
  readonly number: number;
}

const SORTS = {
  none: { spoken: 'none', sign: '↕' },
  up: { spoken: 'ascending', sign: '▲' },
  down: { spoken: 'descending', sign: '▼' }
} as const;

function sortOf({ order }: TablePages, column: number): keyof typeof SORTS {
  if (order?.column !== column) {
    return 'none';
  }
  return order.descending ? 'down' : 'up';
}

/** The name of a column; a button that sorts, where the server can. */
function Heading(props: IHeadingProps): React.JSX.Element {
  const { column, number, pages, trans } = props;
  const { spoken, sign } = SORTS[sortOf(pages, number)];
  const name = showCell(column.name);
  return (
    <th
      scope="col"
      className={alignment(column)}
      aria-sort={spoken}
      title={column.type}
    >
      {pages.isKept ? (
        <button
          className="hx-Table-sort"
          aria-label={trans.__('Sort by %1', name)}
          onClick={() => {
            void pages.sortBy(number);
          }}
        >
          {name}
          <span aria-hidden="true" className="hx-Table-sign">
            {sign}
          </span>
        </button>
      ) : (
        name
      )}
    </th>
  );
}

interface IBodyProps {
  readonly rows: readonly Row[];
  readonly columns: readonly IColumn[];
  readonly offset: number;
}

/** The rows; drawn again only when they are others. */
const Body = memo(function Body({ rows, columns, offset }: IBodyProps) {
  return (
    <tbody>
      {rows.map((row, place) => (
        <tr key={offset + place}>
          <th scope="row" className="hx-mod-number">
            {(offset + place + 1).toLocaleString()}
          </th>
          {columns.map((column, number) => {
            const text = showCell(row[number]);
            const isNull = (row[number] ?? null) === null;
            return (
              <td
                key={number}
                className={alignment(column)}
                title={text}
                data-null={isNull ? '' : undefined}
              >
                {text}
              </td>
            );
          })}
        </tr>
      ))}
    </tbody>
  );
});

/** First, previous, next and last page; nothing where there is one. */
function Pager({ pages, trans }: IPagesProps): React.JSX.Element | null {
  const { offset, lastOffset, pageRows } = pages;
  if (lastOffset === 0) {
    return null;
  }
  const button = (sign: string, label: string, target: number) => (
    <button
      className="hx-Button hx-mod-small"
      aria-label={label}
      title={label}
      // A button that is disabled would lose the focus of a keyboard.
      aria-disabled={target === offset}
      onClick={() => {
        if (target !== offset) {
          void pages.goTo(target);
        }
      }}
    >
      <span aria-hidden="true">{sign}</span>
    </button>
  );
  const previous = Math.max(offset - pageRows, 0);
  const next = Math.min(offset + pageRows, lastOffset);
  return (
    <div
      className="hx-Table-pager"
      role="group"
      aria-label={trans.__('Pages of the result')}
    >
      {button('«', trans.__('First page'), 0)}
      {button('‹', trans.__('Previous page'), previous)}
      <span role="status">
        {pages.isAsking
          ? trans.__('Asking…')
          : trans.__(
              'Rows %1 to %2 of %3',
              (offset + 1).toLocaleString(),
              (offset + pages.rows.length).toLocaleString(),
              pages.reachableRows.toLocaleString()
            )}
      </span>
      {button('›', trans.__('Next page'), next)}
      {button('»', trans.__('Last page'), lastOffset)}
    </div>
  );
}

/** What cannot be seen here, and how to see it. */
function Notes({ pages, trans }: IPagesProps): React.JSX.Element {
  const note = noteOn(pages, trans);
  return (
    <div role="status">
      {pages.error && (
        <p>
          {trans.__(
            'The page could not be had: %1. Try again when the server answers.',
            pages.error.message
          )}
        </p>
      )}
      {note && <p>{note}</p>}
    </div>
  );
}

function noteOn(pages: TablePages, trans: TranslationBundle): string | null {
  const { isGone, isKept, reachableRows, table } = pages;
  const shown = reachableRows.toLocaleString();
  if ((table.totalRows ?? Infinity) > reachableRows) {
    return isKept
      ? trans.__(
          'The server keeps the first %1 rows. Ask for less, or in another order, to see others.',
          shown
        )
      : trans.__(
          'The notebook keeps the first %1 rows. Run the cell again, in a kernel that uses the lab of this server, to see the others and to sort.',
          shown
        );
  }
  return isGone
    ? trans.__(
        'The server does not keep this result any more. Run the cell again to sort it.'
      )
    : null;
}

function describe({ table }: TablePages, trans: TranslationBundle): string {
  const { totalRows, columns, keptRows, rows, elapsed_ms } = table;
  const least = Math.max(keptRows, rows.length);
  const count =
    totalRows === null
      ? trans.__('more than %1 rows', least.toLocaleString())
      : trans._n('%2 row', '%2 rows', totalRows, totalRows.toLocaleString());
  const width = trans._n(
    '%2 column',
    '%2 columns',
    columns.length,
    columns.length.toLocaleString()
  );
  const time = Math.round(elapsed_ms).toLocaleString();
  return trans.__('%1, %2, %3 ms', count, width, time);
}

function alignment(column: IColumn): string | undefined {
  return isNumeric(column.type) ? 'hx-mod-number' : undefined;
}
