import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { LabModel } from './model/lab';
import { toError } from './model/watched';
import { openResult } from './opening';
import { CommandIDs, PANEL_ID } from './tokens';
import { showFrame } from './widgets/frame';
import { helixIcon } from './widgets/icon';

interface IContext {
  readonly app: JupyterFrontEnd;
  readonly model: LabModel;
  readonly notebooks: INotebookTracker | null;
  readonly trans: TranslationBundle;
}

/** How long a hint stays. */
const SHOWN_MS = 8_000;

type Args = ReadonlyPartialJSONObject;

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;

/** What cannot be done without the server that this front end was built for. */
const NEED_SERVER = [
  CommandIDs.cancelRun,
  CommandIDs.openResult,
  CommandIDs.openDashboard,
  CommandIDs.openDashboards
];

/** Add what a user can do in the page. */
export function addCommands(context: IContext): void {
  addPageCommands(context);
  addItemCommands(context);
  addDashboardCommands(context);
  const { app, model } = context;
  const look = () => {
    for (const id of NEED_SERVER) {
      app.commands.notifyCommandChanged(id);
    }
  };
  model.info.changed.connect(look);
  model.dashboards.changed.connect(look);
}

function addPageCommands({ app, model, trans }: IContext): void {
  app.commands.addCommand(CommandIDs.showPanel, {
    label: trans.__('Show Helix Lab'),
    caption: trans.__('Show health, catalog and runs of Helix Lab'),
    icon: helixIcon,
    describedBy: NO_ARGUMENTS,
    execute: () => {
      app.shell.activateById(PANEL_ID);
    }
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Helix Lab'),
    caption: trans.__('Ask the server again for health, catalog and runs'),
    describedBy: NO_ARGUMENTS,
    execute: () => model.refresh()
  });
  app.commands.addCommand(CommandIDs.newNotebook, {
    label: trans.__('New Helix Lab Notebook'),
    caption: trans.__('Create a notebook on the kernel Helix Lab'),
    icon: helixIcon,
    describedBy: NO_ARGUMENTS,
    execute: () =>
      app.commands.execute('notebook:create-new', { kernelName: 'helix-lab' })
  });
}

function addItemCommands(context: IContext): void {
  const { app, model, trans } = context;
  const isEnabled = () => model.isUsable;
  app.commands.addCommand(CommandIDs.insertName, {
    label: trans.__('Insert a Name into the Active Cell'),
    caption: trans.__('Insert the name of a table or column'),
    describedBy: describe('name'),
    execute: args => {
      insertName(text(args, 'name'), context);
    }
  });
  app.commands.addCommand(CommandIDs.cancelRun, {
    label: trans.__('Cancel a Run'),
    caption: trans.__('Ask a run of Helix Lab to stop'),
    describedBy: describe('run_id'),
    isEnabled,
    execute: args => cancelRun(text(args, 'run_id'), context)
  });
  app.commands.addCommand(CommandIDs.openResult, {
    label: trans.__('Open the Result of a Run'),
    caption: trans.__('Open what a run of Helix Lab found in a tab'),
    describedBy: describe('run_id'),
    isEnabled,
    execute: args => openResult(text(args, 'run_id'), context)
  });
}

function addDashboardCommands(context: IContext): void {
  const { app, model, trans } = context;
  app.commands.addCommand(CommandIDs.openDashboards, {
    label: trans.__('Helix Lab Dashboards'),
    caption: trans.__('Open the first dashboard of Helix Lab in a tab'),
    icon: helixIcon,
    describedBy: NO_ARGUMENTS,
    isEnabled: () =>
      model.isUsable && (model.dashboards.value ?? []).length > 0,
    execute: () => {
      openFirstDashboard(context);
    }
  });
  app.commands.addCommand(CommandIDs.openDashboard, {
    label: trans.__('Open a Dashboard'),
    caption: trans.__('Open a dashboard of Helix Lab in a tab'),
    describedBy: describe('title', 'path'),
    isEnabled: () => model.isUsable,
    execute: args => {
      openDashboard(text(args, 'title'), text(args, 'path'), context);
    }
  });
}

function insertName(name: string, { notebooks, trans }: IContext): void {
  const editor = notebooks?.activeCell?.editor;
  if (!editor) {
    Notification.info(
      trans.__(
        'Open a notebook and select a cell, then insert %1 again.',
        name
      ),
      { autoClose: SHOWN_MS }
    );
    return;
  }
  editor.replaceSelection?.(name);
  editor.focus();
}

async function cancelRun(
  runId: string,
  { model, trans }: IContext
): Promise<void> {
  try {
    await model.runs.cancel(runId);
  } catch (error) {
    Notification.error(
      trans.__(
        'The run was not cancelled. Refresh Helix Lab to see how it stands. (%1)',
        toError(error).message
      ),
      { autoClose: false }
    );
    await model.runs.refresh();
  }
}

/** Dashboards of this server only: no page from elsewhere comes into the lab. */
function openDashboard(
  title: string,
  path: string,
  { app, trans }: IContext
): void {
  const { baseUrl } = app.serviceManager.serverSettings;
  const target = new URL(path, URLExt.join(baseUrl, '/'));
  if (target.origin !== new URL(baseUrl).origin) {
    Notification.error(
      trans.__('%1 is not on this server, so it was not opened.', target.href),
      { autoClose: false }
    );
    return;
  }
  if (document.body.dataset['jpThemeLight'] === 'false') {
    target.searchParams.set('theme', 'dark');
  }
  showFrame(app.shell, {
    id: `helix-lab-dashboard-${target.pathname}`,
    url: target.href,
    label: title,
    sandbox: ['allow-scripts', 'allow-same-origin', 'allow-downloads']
  });
}

function openFirstDashboard(context: IContext): void {
  const dashboards = context.model.dashboards.value ?? [];
  const ready = dashboards.find(({ how_to }) => how_to === null);
  const advice = dashboards[0]?.how_to ?? null;
  if (ready !== undefined) {
    openDashboard(ready.title, ready.path, context);
  } else if (advice !== null) {
    Notification.info(advice, { autoClose: SHOWN_MS });
  }
}

function text(args: Args, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}

/** The schema of arguments that are all texts, and all needed. */
function describe(...names: readonly string[]) {
  return {
    args: {
      type: 'object',
      properties: Object.fromEntries(
        names.map(name => [name, { type: 'string' }])
      ),
      required: [...names]
    }
  };
}
