import type { IRunningSessions } from '@jupyterlab/running';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { IRun } from '../api';
import type { RunList } from '../model/runs';
import { CommandIDs } from '../tokens';
import { helixIcon } from './icon';
import { wordRunState } from './words';

/** Shows the unfinished runs among the kernels and terminals of JupyterLab's own panel. */
export function makeRunningManager(
  runs: RunList,
  commands: CommandRegistry,
  trans: TranslationBundle
): IRunningSessions.IManager {
  const cancel = (run: IRun) =>
    commands.execute(CommandIDs.cancelRun, { run_id: run.run_id });
  const show = (run: IRun): IRunningSessions.IRunningItem => ({
    icon: () => helixIcon,
    label: () => `${run.kind} ${run.run_id}`,
    labelTitle: () => wordRunState(run.state, trans).text,
    detail: () => `${Math.floor(run.progress * 100)} %`,
    open: () => void commands.execute(CommandIDs.showPanel),
    shutdown: () => void cancel(run)
  });
  return {
    name: trans.__('Helix Lab Runs'),
    running: () => runs.unfinished.map(show),
    refreshRunning: () => void runs.refresh(),
    runningChanged: runs.changed,
    shutdownAll: () => void Promise.all(runs.unfinished.map(cancel)),
    shutdownLabel: trans.__('Cancel'),
    shutdownAllLabel: trans.__('Cancel All'),
    shutdownAllConfirmationText: trans.__('Cancel all runs of Helix Lab?')
  };
}
