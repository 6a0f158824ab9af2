import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';

import { helixIcon } from '../widgets/icon';
import { pageOf } from './api';

/**
 * Open the page of a run in a tab.
 *
 * It may hold anything that a notebook printed, so it runs in an origin of its own: it can neither
 * read what the lab has nor ask the server as its reader.
 */
export function openPage(
  app: JupyterFrontEnd,
  title: string,
  runId: string
): void {
  const content = new IFrame({ sandbox: ['allow-scripts'] });
  content.url = pageOf(app.serviceManager.serverSettings, runId);
  content.title.label = title;
  content.title.icon = helixIcon;
  const tab = new MainAreaWidget({ content });
  app.shell.add(tab, 'main');
  app.shell.activateById(tab.id);
}
