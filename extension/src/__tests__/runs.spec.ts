import type { IRun } from '../api';
import { formatDuration, measureDuration_ms, RunList } from '../model/runs';
import { makeRun, type Routes, serverWith } from './server';

const NEWEST = 'GET /v1/runs?limit=100';

function page(runs: readonly object[], next_cursor: string | null = null) {
  return { body: { runs, next_cursor } };
}

async function listOf(routes: Routes, asked: string[] = []) {
  const runs = new RunList(serverWith(routes, asked));
  await runs.refresh();
  asked.length = 0;
  return runs;
}

function ids(runs: RunList): readonly string[] {
  return runs.runs.map(({ run_id }) => run_id);
}

async function changeOf(runs: RunList, isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>(resolve => {
      const onChange = () => {
        runs.changed.disconnect(onChange);
        resolve();
      };
      runs.changed.connect(onChange);
    });
  }
}

describe('RunList', () => {
  it('reads page after page until the last one', async () => {
    const runs = await listOf({
      [NEWEST]: page([makeRun(3), makeRun(2)], 'older'),
      'GET /v1/runs?limit=100&cursor=older': page([makeRun(1)])
    });
    expect(ids(runs)).toEqual(['run-3', 'run-2']);
    expect(runs.hasMore).toBe(true);

    await runs.loadMore();

    expect(ids(runs)).toEqual(['run-3', 'run-2', 'run-1']);
    expect(runs.hasMore).toBe(false);
  });

  it('keeps older pages when the newest one is read again', async () => {
    let newest = page([makeRun(2)], 'older');
    const runs = await listOf({
      [NEWEST]: () => newest,
      'GET /v1/runs?limit=100&cursor=older': page([makeRun(1)])
    });
    await runs.loadMore();
    newest = page([makeRun(3), makeRun(2)], 'other');

    await runs.refresh();

    expect(ids(runs)).toEqual(['run-3', 'run-2', 'run-1']);
    expect(runs.hasMore).toBe(false);
  });

  it('begins anew when runs between the known and the newest are missing', async () => {
    let newest = page([makeRun(1)]);
    const runs = await listOf({ [NEWEST]: () => newest });
    newest = page([makeRun(900)], 'older');

    await runs.refresh();

    expect(ids(runs)).toEqual(['run-900']);
    expect(runs.hasMore).toBe(true);
  });

  it('shows pushed progress without asking', async () => {
    const asked: string[] = [];
    const runs = await listOf({ [NEWEST]: page([makeRun(1)]) }, asked);

    runs.accept({ run_id: 'run-1', state: 'running', progress: 0.5 });

    expect(runs.runs[0]?.progress).toBe(0.5);
    expect(asked).toEqual([]);
  });

  it('asks for the end of a run that was pushed as ended', async () => {
    const ended = makeRun(1, {
      state: 'succeeded',
      ended_at: '2026-01-02T00:01:00Z'
    });
    const runs = await listOf({
      [NEWEST]: page([makeRun(1)]),
      'GET /v1/runs/run-1': { body: ended }
    });

    runs.accept({ run_id: 'run-1', state: 'succeeded', progress: 1 });
    expect(runs.unfinished).toEqual([]);

    await changeOf(runs, () => runs.runs[0]?.ended_at !== null);
  });

  it('asks for a run that it did not know', async () => {
    const runs = await listOf({
      [NEWEST]: page([]),
      'GET /v1/runs/run-7': { body: makeRun(7) }
    });

    runs.accept({ run_id: 'run-7', state: 'queued', progress: 0 });

    await changeOf(runs, () => runs.runs.length === 1);
    expect(ids(runs)).toEqual(['run-7']);
  });

  it('asks once for many new runs', async () => {
    const asked: string[] = [];
    let newest = page([]);
    const runs = await listOf({ [NEWEST]: () => newest }, asked);
    const many = [...Array(50).keys()].map(number => makeRun(number));
    newest = page(many);

    for (const { run_id } of many) {
      runs.accept({ run_id, state: 'running', progress: 0 });
    }

    await changeOf(runs, () => runs.runs.length === many.length);
    expect(asked).toEqual([NEWEST]);
  });

  it('does not wake a run that has ended', async () => {
    const ended = makeRun(1, { state: 'cancelled' });
    const runs = await listOf({ [NEWEST]: page([ended]) });

    runs.accept({ run_id: 'run-1', state: 'running', progress: 0.9 });

    expect(runs.runs[0]?.state).toBe('cancelled');
  });

  it('tells each new state once, and not what was there at the start', async () => {
    const runs = new RunList(serverWith({ [NEWEST]: page([makeRun(1)]) }));
    const told: string[] = [];
    runs.stateChanged.connect((_, run) => {
      told.push(`${run.run_id} ${run.state}`);
    });
    await runs.refresh();

    runs.accept({ run_id: 'run-1', state: 'running', progress: 0.3 });
    runs.accept({ run_id: 'run-1', state: 'failed', progress: 0.3 });
    runs.accept({ run_id: 'run-1', state: 'failed', progress: 0.3 });

    expect(told).toEqual(['run-1 failed']);
  });

  it('cancels, and throws what the server says against it', async () => {
    const error = { code: 'CONFLICT', message: 'it has ended' };
    const runs = await listOf({
      [NEWEST]: page([makeRun(2), makeRun(1)]),
      'POST /v1/runs/run-1/cancel': {
        body: makeRun(1, { state: 'cancelled' })
      },
      'POST /v1/runs/run-2/cancel': { status: 409, body: { error } }
    });

    await runs.cancel('run-1');

    expect(runs.unfinished.map(({ run_id }) => run_id)).toEqual(['run-2']);
    await expect(runs.cancel('run-2')).rejects.toMatchObject(error);
  });

  it('keeps what it knows while the server is away', async () => {
    const routes: Routes = { [NEWEST]: page([makeRun(1)]) };
    const runs = await listOf(routes);
    routes[NEWEST] = undefined;

    await runs.refresh();

    expect(ids(runs)).toEqual(['run-1']);
    expect(runs.error?.message).toContain('nobody answers');
  });
});

describe('polling', () => {
  const MINUTE_MS = 60_000;

  beforeEach(() => {
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.restoreAllMocks();
    document.dispatchEvent(new Event('visibilitychange'));
    jest.useRealTimers();
  });

  function hidePage(): void {
    jest.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
  }

  async function pollOf(asked: string[]) {
    const runs = await listOf({ [NEWEST]: page([makeRun(1)]) }, asked);
    runs.start();
    await jest.advanceTimersByTimeAsync(MINUTE_MS);
    asked.length = 0;
    return runs;
  }

  it('asks where nothing is pushed, and not while the page is hidden', async () => {
    const asked: string[] = [];
    const runs = await pollOf(asked);

    await jest.advanceTimersByTimeAsync(2 * MINUTE_MS);
    const inSight = asked.length;
    asked.length = 0;
    hidePage();
    await jest.advanceTimersByTimeAsync(10 * MINUTE_MS);
    runs.dispose();

    expect(inSight).toBeGreaterThan(1);
    expect(asked).toEqual([]);
  });

  it('does not ask while changes are pushed', async () => {
    const asked: string[] = [];
    const runs = await pollOf(asked);

    for (let seconds = 0; seconds < 300; seconds += 5) {
      runs.accept({
        run_id: 'run-1',
        state: 'running',
        progress: seconds / 300
      });
      await jest.advanceTimersByTimeAsync(5_000);
    }
    runs.dispose();

    expect(asked).toEqual([]);
  });
});

describe('durations', () => {
  it.each([
    [400, '0.4 s'],
    [42_900, '42 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min']
  ])('writes %d ms as %s', (duration_ms, text) => {
    expect(formatDuration(duration_ms)).toBe(text);
  });

  it('counts until now while a run goes on, then until its end', () => {
    const now_ms = Date.parse('2026-01-02T00:00:30Z');
    const running: IRun = makeRun(1) as unknown as IRun;
    const ended = { ...running, ended_at: '2026-01-02T00:00:10Z' };
    const queued = { ...running, started_at: null };

    const found = [running, ended, queued].map(run =>
      measureDuration_ms(run, now_ms)
    );

    expect(found).toEqual([30_000, 10_000, null]);
  });
});
