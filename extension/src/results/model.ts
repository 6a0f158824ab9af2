import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError } from '../answer';
import { toError } from '../model/watched';
import type { IPageQuery } from './api';
import type { ITable, Row } from './data';

const NOT_FOUND = 404;

/** The order in which rows are shown. */
export interface IOrder {
  readonly column: number;
  readonly descending: boolean;
}

/** The page of a result that is seen, and the way to the others. */
export class TablePages {
  /** Rows of a full page: as many as the notebook keeps. */
  readonly pageRows: number;
  private readonly _changed = new Signal<this, void>(this);
  private _rows: readonly Row[];
  private _offset = 0;
  private _order: IOrder | null = null;
  private _isGone = false;
  private _error: Error | null = null;
  private _asked = 0;
  private _answered = 0;

  constructor(
    readonly table: ITable,
    private readonly ask: (
      resultId: string,
      query: IPageQuery
    ) => Promise<readonly Row[]>
  ) {
    this._rows = table.rows;
    this.pageRows = Math.max(table.rows.length, 1);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get rows(): readonly Row[] {
    return this._rows;
  }

  /** Number of the first row that is seen, from 0. */
  get offset(): number {
    return this._offset;
  }

  get order(): IOrder | null {
    return this._order;
  }

  /** The server kept the result once, and does not any more. */
  get isGone(): boolean {
    return this._isGone;
  }

  /** Why the last page could not be had; null when it could. */
  get error(): Error | null {
    return this._error;
  }

  get isAsking(): boolean {
    return this._answered < this._asked;
  }

  /** Whether the server can be asked for other pages and orders. */
  get isKept(): boolean {
    return this.table.resultId !== null && !this._isGone;
  }

  /** Rows that can be paged through. */
  get reachableRows(): number {
    const stored = this.table.rows.length;
    return this.isKept ? Math.max(this.table.keptRows, stored) : stored;
  }

  /** Offset of the last page. */
  get lastOffset(): number {
    const pages = Math.ceil(this.reachableRows / this.pageRows);
    return Math.max(pages - 1, 0) * this.pageRows;
  }

  /** Show the page that begins there. */
  async goTo(offset: number): Promise<void> {
    await this.show(
      Math.min(Math.max(offset, 0), this.lastOffset),
      this._order
    );
  }

  /** Sort by a column: the least first, then the greatest first, then as the answer came. */
  async sortBy(column: number): Promise<void> {
    const isSame = this._order?.column === column;
    const next = !isSame
      ? { column, descending: false }
      : this._order?.descending === false
        ? { column, descending: true }
        : null;
    await this.show(0, next);
  }

  private async show(offset: number, order: IOrder | null): Promise<void> {
    const number = ++this._asked;
    try {
      const asking = this.fetch(offset, order);
      this._changed.emit();
      const rows = await asking;
      if (number === this._asked) {
        this.take(rows, offset, order);
      }
    } catch (error) {
      if (number === this._asked) {
        this.fail(toError(error));
      }
    } finally {
      this._answered = Math.max(this._answered, number);
      this._changed.emit();
    }
  }

  private async fetch(
    offset: number,
    order: IOrder | null
  ): Promise<readonly Row[]> {
    const { resultId, rows } = this.table;
    if (resultId === null || (offset === 0 && order === null)) {
      return rows;
    }
    return this.ask(resultId, {
      offset,
      limit: this.pageRows,
      sort: order?.column ?? null,
      descending: order?.descending ?? false
    });
  }

  private take(rows: readonly Row[], offset: number, order: IOrder | null) {
    this._rows = rows;
    this._offset = offset;
    this._order = order;
    this._error = null;
  }

  /** A result that is gone leaves what the notebook keeps; after another fault one can try again. */
  private fail(error: Error) {
    if (error instanceof ApiError && error.status === NOT_FOUND) {
      this._isGone = true;
      this.take(this.table.rows, 0, null);
    } else {
      this._error = error;
    }
  }
}
