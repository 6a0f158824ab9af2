import type { JupyterFrontEnd } from '@jupyterlab/application';
import {
  type MainAreaWidget,
  Notification,
  ToolbarButton
} from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import {
  getDebate,
  getJsonArtifact,
  getRun,
  type IRun,
  locateArtifact
} from './api';
import { isRecord } from './answer';
import type { LabModel } from './model/lab';
import { findPage, type IFile, listFiles, nameCopy } from './model/results';
import { toError } from './model/watched';
import { showFrame, showTab } from './widgets/frame';

interface IContext {
  readonly app: JupyterFrontEnd;
  readonly model: LabModel;
  readonly trans: TranslationBundle;
}

/** Open what a run found: its page where it made one, else a view of its result. */
export async function openResult(
  runId: string,
  context: IContext
): Promise<void> {
  await orExplain(context, async () => {
    const run = await getRun(context.model.settings, runId);
    const page = findPage(run);
    await (page === null
      ? showResult(run, context)
      : openFile(run, page, context));
  });
}

/** A view of all that is known of a run; what draws it is loaded when it is first used. */
async function showResult(run: IRun, context: IContext): Promise<void> {
  const { app, model, trans } = context;
  const debate =
    run.kind === 'debate' ? await getDebate(model.settings, run.run_id) : null;
  const { makeResult } = await import('./widgets/result');
  const id = `helix-lab-result-${run.run_id}`;
  showTab(app.shell, id, trans.__('Result of %1', run.run_id), () =>
    makeResult({
      run,
      debate,
      trans,
      open: file => {
        void orExplain(context, () => openFile(run, file, context));
      }
    })
  );
}

async function openFile(
  run: IRun,
  file: IFile,
  context: IContext
): Promise<void> {
  switch (file.form) {
    case 'page':
      openPage(run, file, context);
      break;
    case 'notebook':
      await openNotebook(run, file, context);
      break;
    case 'download':
      download(run, file, context);
  }
}

/** The page runs in an origin of its own; the server says so, too. */
function openPage(run: IRun, { name }: IFile, context: IContext): void {
  const { app, model } = context;
  const tab = showFrame(app.shell, {
    id: `helix-lab-artifact-${run.run_id}-${name}`,
    url: locateArtifact(model.settings, run.run_id, name),
    label: `${name} – ${run.run_id}`,
    sandbox: ['allow-scripts']
  });
  if (tab !== null) {
    addTools(tab, run, name, context);
  }
}

function addTools(
  tab: MainAreaWidget,
  run: IRun,
  shown: string,
  context: IContext
): void {
  const { trans } = context;
  const add = (label: string, open: () => Promise<void>) => {
    const onClick = () => void orExplain(context, open);
    tab.toolbar.addItem(label, new ToolbarButton({ label, onClick }));
  };
  add(trans.__('About This Run'), () => showResult(run, context));
  for (const file of listFiles(run).filter(({ name }) => name !== shown)) {
    add(trans.__('Open %1', file.name), () => openFile(run, file, context));
  }
}

/**
 * Put a copy of the notebook among the user's files, once, and open it.
 *
 * No cell of it is trusted: what it shows was not made by its reader.
 */
async function openNotebook(
  run: IRun,
  { name }: IFile,
  { app, model }: IContext
): Promise<void> {
  const { contents } = app.serviceManager;
  const path = nameCopy(run.run_id, name);
  if (!(await exists(path, app))) {
    const notebook = await getJsonArtifact(model.settings, run.run_id, name);
    const content = withoutTrust(notebook);
    await contents.save(path, { type: 'notebook', format: 'json', content });
  }
  const factory = 'Notebook';
  await app.commands.execute('docmanager:open', { path, factory });
}

async function exists(path: string, app: JupyterFrontEnd): Promise<boolean> {
  try {
    await app.serviceManager.contents.get(path, { content: false });
    return true;
  } catch (error) {
    if (
      error instanceof ServerConnection.ResponseError &&
      error.response.status === 404
    ) {
      return false;
    }
    throw error;
  }
}

function withoutTrust(notebook: unknown): unknown {
  const cells = isRecord(notebook) ? notebook['cells'] : null;
  for (const cell of Array.isArray(cells) ? (cells as unknown[]) : []) {
    if (isRecord(cell) && isRecord(cell['metadata'])) {
      delete cell['metadata']['trusted'];
    }
  }
  return notebook;
}

function download(run: IRun, { name }: IFile, { model }: IContext): void {
  const link = document.createElement('a');
  link.href = locateArtifact(model.settings, run.run_id, name);
  link.download = name;
  link.click();
}

async function orExplain(
  { trans }: IContext,
  open: () => Promise<void>
): Promise<void> {
  try {
    await open();
  } catch (error) {
    Notification.error(
      trans.__(
        'The result was not opened. Refresh Helix Lab and try again. (%1)',
        toError(error).message
      ),
      { autoClose: false }
    );
  }
}
