import { type ITable, quoteName } from './catalog';

/** The first line of a cell in SQL, with its line end. */
export const SQL_CELL = /^(?:[^\S\n]*\n)*%%sql\b[^\n]*\n/;

/** One name that fits where the cursor is. */
export interface ISuggestion {
  readonly name: string;
  readonly insert: string;
  readonly kind: 'table' | 'column';
  readonly detail: string;
}

/** What fits between two offsets of the cell. */
export interface ISuggestions {
  readonly start: number;
  readonly end: number;
  readonly items: readonly ISuggestion[];
}

/** Names of tables and columns that fit at the cursor of a `%%sql` cell; none in another cell. */
export function suggest(
  cell: string,
  cursor: number,
  tables: readonly ITable[]
): ISuggestions {
  const head = SQL_CELL.exec(cell)?.[0].length ?? Infinity;
  const before = cell.slice(head, cursor);
  if (cursor < head || isInText(before)) {
    return { start: cursor, end: cursor, items: [] };
  }
  const word = /\w*$/.exec(before)?.[0] ?? '';
  const place = before.slice(0, before.length - word.length);
  const found = candidates(place, cell.slice(head), tables);
  return {
    start: cursor - word.length,
    end: cursor,
    items: found.filter(({ name }) => hasPrefix(name, word))
  };
}

function candidates(
  place: string,
  statement: string,
  tables: readonly ITable[]
): readonly ISuggestion[] {
  const qualifier = /(\w+)\.$/.exec(place)?.[1];
  if (qualifier !== undefined) {
    const name = resolve(qualifier, statement);
    return columnsOf(tables.filter(table => table.name === name));
  }
  const names = tables.map(nameTable);
  if (/\b(?:from|join|into|describe)\s+$/i.test(place)) {
    return names;
  }
  const used = tables.filter(({ name }) => isUsed(name, statement));
  return [...columnsOf(used.length > 0 ? used : tables), ...names];
}

function nameTable({ name, columns }: ITable): ISuggestion {
  const detail = columns.map(({ column }) => column).join(', ');
  return { name, insert: quoteName(name), kind: 'table', detail };
}

/** Each column once, with the tables that have it. */
function columnsOf(tables: readonly ITable[]): readonly ISuggestion[] {
  const details = new Map<string, string[]>();
  for (const { column, type, table } of tables.flatMap(one => one.columns)) {
    const known = details.get(column) ?? [];
    details.set(column, [...known, `${table}: ${type}`]);
  }
  return [...details].map(([name, found]) => ({
    name,
    insert: quoteName(name),
    kind: 'column',
    detail: found.join('\n')
  }));
}

/** The table that an alias stands for; the word itself where it is none. */
function resolve(word: string, statement: string): string {
  const alias = new RegExp(
    `\\b(?:from|join|,)\\s+"?(\\w+)"?\\s+(?:as\\s+)?${word}\\b`,
    'i'
  );
  return alias.exec(statement)?.[1] ?? word;
}

function isUsed(name: string, statement: string): boolean {
  return statement.split(/\W+/).includes(name);
}

function hasPrefix(name: string, word: string): boolean {
  return name.toLowerCase().startsWith(word.toLowerCase());
}

/** Whether the cursor stands in a text or behind `--`, where no name is meant. */
function isInText(before: string): boolean {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  return before.split("'").length % 2 === 0 || line.includes('--');
}
