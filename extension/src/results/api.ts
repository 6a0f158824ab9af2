import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { ApiError, isRecord } from '../answer';
import { request } from '../api';
import { type Row, readRows } from './data';

/** Which rows; `sort` is the number of a column from 0, null for the order of the answer. */
export interface IPageQuery {
  readonly offset: number;
  readonly limit: number;
  readonly sort: number | null;
  readonly descending: boolean;
}

/** The rows of one page of an answer that the server keeps. */
export async function getResultPage(
  settings: ServerConnection.ISettings,
  resultId: string,
  { sort, ...rest }: IPageQuery
): Promise<readonly Row[]> {
  const query = URLExt.objectToQueryString(
    sort === null
      ? { offset: rest.offset, limit: rest.limit }
      : { ...rest, sort }
  );
  const path = `results/${encodeURIComponent(resultId)}${query}`;
  const body = await request(path, {}, settings);
  const rows = readRows(isRecord(body) ? body['rows'] : null);
  if (rows === null) {
    throw new ApiError(200, 'bad_answer', 'the answer has no rows');
  }
  return rows;
}
