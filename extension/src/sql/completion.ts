import type {
  CompletionHandler,
  ICompletionProvider
} from '@jupyterlab/completer';

import { suggest } from '../model/completion';
import type { LabModel } from '../model/lab';

/** Above the words of the notebook and the names of the kernel, which know no SQL. */
const RANK = 700;

/** Completes names of tables and columns in `%%sql` cells, from the catalog. */
export class CatalogCompletion implements ICompletionProvider {
  readonly identifier = 'CompletionProvider:helix-lab-catalog';
  readonly rank = RANK;
  readonly renderer = null;

  constructor(private readonly model: LabModel) {}

  /** Asked before the cell is written, so what is in it is looked at later. */
  isApplicable(): Promise<boolean> {
    return Promise.resolve(true);
  }

  fetch({
    text,
    offset
  }: CompletionHandler.IRequest): Promise<CompletionHandler.ICompletionItemsReply> {
    const tables = this.model.catalog.value ?? [];
    const { start, end, items } = suggest(text, offset, tables);
    return Promise.resolve({
      start,
      end,
      items: items.map(({ name, insert, kind, detail }) => ({
        label: name,
        insertText: insert,
        type: kind,
        documentation: detail
      }))
    });
  }
}
