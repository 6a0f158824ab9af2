import { isRecord } from '../answer';

/** The form in which the kernel gives a result to JupyterLab. */
export const TABLE_MIME = 'application/vnd.helix-lab.table+json';

export interface IColumn {
  readonly name: string;
  /** The Arrow type, such as `int64`. */
  readonly type: string;
}

export type Row = readonly unknown[];

/** What a notebook keeps of a result: its first rows, and where the rest was. */
export interface ITable {
  readonly columns: readonly IColumn[];
  readonly rows: readonly Row[];
  /** Rows of the whole answer; null where they were not counted. */
  readonly totalRows: number | null;
  readonly elapsed_ms: number;
  /** By which the server gave pages when the cell ran; null where it did not. */
  readonly resultId: string | null;
  /** How many rows the server kept, from the first one on. */
  readonly keptRows: number;
}

/** The table in an output; null where it has another shape, as anybody can write a notebook. */
export function readTable(value: unknown): ITable | null {
  if (!isRecord(value)) {
    return null;
  }
  const { columns, total_rows, elapsed_ms, result_id, kept_rows } = value;
  const rows = readRows(value['rows']);
  if (!Array.isArray(columns) || rows === null) {
    return null;
  }
  return {
    columns: columns.map(readColumn),
    rows,
    totalRows: readNumber(total_rows),
    elapsed_ms: readNumber(elapsed_ms) ?? 0,
    resultId: typeof result_id === 'string' ? result_id : null,
    keptRows: readNumber(kept_rows) ?? 0
  };
}

/** Rows as JSON has them; null where they are something else. */
export function readRows(value: unknown): readonly Row[] | null {
  return Array.isArray(value) && value.every(row => Array.isArray(row))
    ? (value as Row[])
    : null;
}

/** Whether values of an Arrow type are numbers. */
export function isNumeric(type: string): boolean {
  return /^(u?int|half|float|double|decimal)/.test(type);
}

/** A value in one line; nothing in it can steer the page or a reader. */
export function showCell(value: unknown): string {
  if (value === null || value === undefined) {
    return 'NULL';
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(/\r\n|\n/g, '⏎').replace(/\p{Cc}/gu, draw);
}

const FIRST_PICTURE = 0x2400;
const SPACE = 0x20;
const DELETE_PICTURE = '␡';

/** The picture of a control character. */
function draw(character: string): string {
  const code = character.charCodeAt(0);
  return code < SPACE
    ? String.fromCharCode(FIRST_PICTURE + code)
    : DELETE_PICTURE;
}

function readColumn(value: unknown): IColumn {
  const { name, type } = isRecord(value) ? value : {};
  return { name: asText(name), type: asText(type) };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function readNumber(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 ? value : null;
}
