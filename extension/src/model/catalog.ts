import type { IColumn } from '../api';

/** A table with its columns in their order. */
export interface ITable {
  readonly name: string;
  readonly columns: readonly IColumn[];
}

/** Columns by their tables, in the order in which they came. */
export function groupByTable(columns: readonly IColumn[]): readonly ITable[] {
  const tables = new Map<string, IColumn[]>();
  for (const column of columns) {
    const found = tables.get(column.table);
    if (found === undefined) {
      tables.set(column.table, [column]);
    } else {
      found.push(column);
    }
  }
  return [...tables].map(([name, rows]) => ({ name, columns: rows }));
}

/** A name as SQL reads it: quoted only where it must be. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name)
    ? name
    : `"${name.replace(/"/g, '""')}"`;
}
