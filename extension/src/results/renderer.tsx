import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { getResultPage } from './api';
import { TABLE_MIME, readTable } from './data';
import { TablePages } from './model';
import { TableView } from './view';

/** Before the HTML of the same output, which has rank 50. */
const RANK = 40;

interface IOptions {
  readonly settings: ServerConnection.ISettings;
  readonly trans: TranslationBundle;
}

/** Shows a result in an output. Values are text alone, so that no notebook need be trusted. */
export class ResultRenderer
  extends ReactWidget
  implements IRenderMime.IRenderer
{
  private pages: TablePages | null = null;
  private fallback = '';
  /** Other pages are another view: a view listens to the pages that it began with. */
  private number = 0;

  constructor(private readonly options: IOptions) {
    super();
    this.addClass('hx-TableOutput');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const table = readTable(model.data[TABLE_MIME]);
    const text = model.data['text/plain'];
    this.fallback = typeof text === 'string' ? text : '';
    this.pages =
      table &&
      new TablePages(table, (resultId, query) =>
        getResultPage(this.options.settings, resultId, query)
      );
    this.number++;
    this.update();
    await this.renderPromise;
  }

  protected override render(): React.JSX.Element {
    const { trans } = this.options;
    return this.pages ? (
      <TableView key={this.number} pages={this.pages} trans={trans} />
    ) : (
      <pre>{this.fallback || trans.__('This table cannot be read.')}</pre>
    );
  }
}

/** What makes renderers for outputs with a table. */
export function makeRendererFactory(
  options: IOptions
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [TABLE_MIME],
    defaultRank: RANK,
    createRenderer: () => new ResultRenderer(options)
  };
}
