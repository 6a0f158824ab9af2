import type { IRun } from '../api';
import { findPage, hasResult, listFiles, nameCopy } from '../model/results';
import { makeRun } from './server';

function run(more: object): IRun {
  return makeRun(1, { state: 'succeeded', ...more }) as unknown as IRun;
}

describe('what a run found', () => {
  it('shows pages first, then notebooks, and saves what it does not know', () => {
    const artifacts = [
      'data.parquet',
      'report.ipynb',
      'log.txt',
      'report.HTML'
    ];

    const files = listFiles(run({ artifacts }));

    expect(files).toEqual([
      { name: 'log.txt', form: 'page' },
      { name: 'report.HTML', form: 'page' },
      { name: 'report.ipynb', form: 'notebook' },
      { name: 'data.parquet', form: 'download' }
    ]);
    expect(findPage(run({ artifacts }))?.name).toBe('report.HTML');
    expect(findPage(run({ artifacts: ['report.ipynb'] }))).toBeNull();
  });

  it.each([
    [{ kind: 'import', result: { items: 3 } }, true],
    [{ kind: 'import', result: null }, false],
    [{ kind: 'debate' }, true],
    [{ kind: 'debate', state: 'running' }, false],
    [{ kind: 'report', state: 'failed', artifacts: ['r.html'] }, true],
    [{ kind: 'report', state: 'running', artifacts: ['r.html'] }, false],
    [{ kind: 'rebuild', error: { code: 'x', message: 'y' } }, true],
    [{ kind: 'rebuild', state: 'cancelled' }, false]
  ])('of %j can be seen: %s', (more, expected) => {
    expect(hasResult(run(more))).toBe(expected);
  });

  it.each([
    ['report.ipynb', 'run-1', 'report-run-1.ipynb'],
    ['../a b.ipynb', '../../x', '.._a_b-.._.._x.ipynb']
  ])('names the copy of %s of %s in one folder', (name, id, copy) => {
    expect(nameCopy(id, name)).toBe(copy);
  });
});
