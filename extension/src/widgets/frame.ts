import type { JupyterFrontEnd } from '@jupyterlab/application';
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import type { Widget } from '@lumino/widgets';

import { helixIcon } from './icon';

interface IFrameOptions {
  /** One tab an id: opening it again shows the tab that is there. */
  readonly id: string;
  readonly url: string;
  readonly label: string;
  /** What the page may do. */
  readonly sandbox: IFrame.SandboxExceptions[];
}

/** Show a page of this server in a tab; null where its tab is there already. */
export function showFrame(
  shell: JupyterFrontEnd.IShell,
  { id, url, label, sandbox }: IFrameOptions
): MainAreaWidget<IFrame> | null {
  return showTab(shell, id, label, () => {
    const content = new IFrame({ sandbox });
    content.url = url;
    content.node.querySelector('iframe')?.setAttribute('title', label);
    return new MainAreaWidget({ content });
  });
}

/** Show the tab of this id, made if there is none; null where there is one. */
export function showTab<T extends Widget>(
  shell: JupyterFrontEnd.IShell,
  id: string,
  label: string,
  make: () => T
): T | null {
  const isThere = [...shell.widgets('main')].some(tab => tab.id === id);
  const made = isThere ? null : make();
  if (made !== null) {
    made.id = id;
    made.title.label = label;
    made.title.icon = helixIcon;
    made.title.closable = true;
    shell.add(made, 'main');
  }
  shell.activateById(id);
  return made;
}
