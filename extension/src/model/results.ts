import type { IRun } from '../api';
import { hasEnded } from './runs';

/** How a file of a run is opened: in a frame of its own, as a notebook, or by saving it. */
export type FileForm = 'page' | 'notebook' | 'download';

/** A file that a run made. */
export interface IFile {
  readonly name: string;
  readonly form: FileForm;
}

const FORMS: readonly (readonly [RegExp, FileForm])[] = [
  [/\.(html|txt|png|jpe?g)$/i, 'page'],
  [/\.ipynb$/i, 'notebook']
];

/** The files of a run, pages first. */
export function listFiles({ artifacts }: IRun): readonly IFile[] {
  const files = artifacts.map(name => ({ name, form: findForm(name) }));
  const order: readonly FileForm[] = ['page', 'notebook', 'download'];
  return order.flatMap(form => files.filter(file => file.form === form));
}

/** The page that tells what a run found, where it made one. */
export function findPage(run: IRun): IFile | null {
  return listFiles(run).find(({ name }) => /\.html$/i.test(name)) ?? null;
}

/** Whether there is something to see of a run: it has ended and left a result, files or an error. */
export function hasResult(run: IRun): boolean {
  const { result, error, artifacts, kind } = run;
  const hasLeft = result !== null || error !== null || artifacts.length > 0;
  return hasEnded(run) && (hasLeft || kind === 'debate');
}

/** The path at which a copy of a run's notebook lies among the user's files. */
export function nameCopy(runId: string, name: string): string {
  const stem = name.replace(/\.ipynb$/i, '');
  return `${stem}-${runId}`.replace(/[^\w.-]+/g, '_') + '.ipynb';
}

function findForm(name: string): FileForm {
  return FORMS.find(([ending]) => ending.test(name))?.[1] ?? 'download';
}
