import type { IReport } from '../reports/api';
import { pageOf } from '../reports/api';
import { parameterAt, ReportsModel } from '../reports/model';
import { readParameters, readValues } from '../reports/parameters';
import { makeRun, type Routes, serverWith } from './server';

const SCHEMA = {
  type: 'object',
  required: ['topic'],
  properties: {
    topic: { type: 'string', description: 'what it is about' },
    window: { enum: ['1h', '7d'], default: '7d' },
    limit: { type: 'integer', default: 3 },
    share: { type: 'number' },
    exact: { type: 'boolean', default: false },
    key: { type: 'string', secret: true },
    names: { type: 'array', items: { type: 'string' } }
  }
};

const SCHEDULE = {
  schedule_id: 'schedule-1',
  report: 'slow',
  cron: '0 7 * * 1',
  meaning: 'At 07:00 on Monday',
  timezone: 'Europe/Berlin',
  next_at: '2026-01-05T06:00:00Z',
  problem: null
};

const REPORT: IReport = {
  name: 'slow',
  title: 'Slow answers',
  question: 'Which are slow?',
  parameters: readParameters(SCHEMA),
  problem: null
};

function refuse(field: string) {
  const error = { code: 'INVALID_REQUEST', message: 'no', details: { field } };
  return { status: 400, body: { error } };
}

function modelOn(routes: Routes, asked: string[] = []) {
  return new ReportsModel(serverWith(routes, asked));
}

describe('readParameters', () => {
  it('gives each parameter the field that its schema asks for', () => {
    expect(
      readParameters(SCHEMA).map(({ name, kind, preset, isRequired }) => [
        name,
        kind,
        preset,
        isRequired
      ])
    ).toEqual([
      ['topic', 'text', '', true],
      ['window', 'choice', '"7d"', false],
      ['limit', 'integer', '3', false],
      ['share', 'number', '', false],
      ['exact', 'boolean', 'false', false],
      ['key', 'secret', '', false],
      ['names', 'json', '', false]
    ]);
  });

  it('makes no field of what is no schema', () => {
    expect(readParameters(null)).toEqual([]);
    expect(readParameters({ properties: [] })).toEqual([]);
  });
});

describe('readValues', () => {
  const read = (typed: Record<string, string>) =>
    readValues(REPORT.parameters, typed);

  it('sends the presets and leaves out what the notebook decides', () => {
    expect(read({})).toEqual({ window: '7d', limit: 3, exact: false });
  });

  it('reads each text as its parameter has it', () => {
    expect(
      read({
        topic: '7',
        window: '"1h"',
        limit: '12',
        share: '0.5',
        exact: 'true',
        key: '12345678',
        names: '["a"]'
      })
    ).toEqual({
      topic: '7',
      window: '1h',
      limit: 12,
      share: 0.5,
      exact: true,
      key: '12345678',
      names: ['a']
    });
  });

  it('keeps what looks like code as text', () => {
    const topic = '"; import os #';

    expect(read({ topic })).toMatchObject({ topic });
  });

  it('leaves it to the server to refuse what is no number', () => {
    expect(read({ limit: 'many' })).toMatchObject({ limit: 'many' });
  });
});

describe('ReportsModel', () => {
  it('knows reports and schedules after a refresh', async () => {
    const row = { ...REPORT, parameters: SCHEMA, origin: 'own' };
    const model = modelOn({
      'GET /v1/reports': { body: { reports: [row] } },
      'GET /v1/schedules': { body: { schedules: [SCHEDULE] } }
    });

    await model.refresh();

    expect(model.reports.value).toEqual([REPORT]);
    expect(model.schedules.value).toEqual([SCHEDULE]);
  });

  it('gives the run that it started', async () => {
    const model = modelOn({
      'POST /v1/reports/slow/runs': { status: 202, body: makeRun(1) },
      'GET /v1/runs/run-1': { body: makeRun(1) }
    });

    const { made, refusal } = await model.run(REPORT, { topic: 'x' });

    expect([made?.run_id, refusal]).toEqual(['run-1', null]);
  });

  it('names the parameter that the server refused', async () => {
    const model = modelOn({
      'POST /v1/reports/slow/runs': refuse('parameters.limit')
    });

    const { made, refusal } = await model.run(REPORT, { limit: 'many' });

    expect([made, refusal?.message]).toEqual([null, 'no']);
    expect(parameterAt(refusal)).toBe('limit');
  });

  it('says of a server that is away that it cannot be asked', async () => {
    const { made, refusal } = await modelOn({}).run(REPORT, {});

    expect(made).toBeNull();
    expect(refusal?.field).toBeNull();
    expect(refusal?.message).not.toBe('');
  });

  it('names the field of a schedule that the server refused', async () => {
    const model = modelOn({
      'POST /v1/reports/slow/schedules': refuse('cron'),
      'GET /v1/schedules': { body: { schedules: [] } }
    });

    const times = { cron: 'whenever', timezone: 'UTC' };
    const { refusal } = await model.schedule(REPORT, times, {});

    expect(parameterAt(refusal)).toBe('cron');
  });

  it.each([
    ['pause', 'POST /v1/schedules/schedule-1/pause'],
    ['resume', 'POST /v1/schedules/schedule-1/resume'],
    ['delete', 'DELETE /v1/schedules/schedule-1']
  ] as const)('can %s a schedule, and asks again', async (action, route) => {
    const asked: string[] = [];
    const model = modelOn(
      {
        [route]: { body: SCHEDULE },
        'GET /v1/schedules': { body: { schedules: [] } }
      },
      asked
    );

    await model.change(SCHEDULE, action);

    expect(asked).toEqual([route, 'GET /v1/schedules']);
    expect(model.schedules.value).toEqual([]);
  });

  it('knows where the page of a run lies', () => {
    expect(pageOf(serverWith({}), 'a/b')).toBe(
      'http://lab.test/v1/runs/a%2Fb/artifacts/report.html'
    );
  });
});
