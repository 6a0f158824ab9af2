import { Signal } from '@lumino/signaling';

import { type IServerEvent, LabModel, RUN_SCHEMA } from '../model/lab';
import { makeRun, type Routes, serverWith } from './server';

const HEALTHY = {
  body: { status: 'healthy', services: { kafka: 'embedded' } }
};

function routesOfALab(): Routes {
  return {
    'GET /health': HEALTHY,
    'GET /v1/info': {
      body: {
        name: 'helix-lab',
        version: '1.0.0',
        node_id: 'node-1',
        backends: { kafka: 'sqlite' }
      }
    },
    'GET /v1/catalog': {
      body: {
        columns: [
          { table: 'a', column: 'x', type: 'BIGINT', comment: null },
          { table: 'b', column: 'x', type: 'BIGINT', comment: null },
          { table: 'a', column: 'y', type: 'VARCHAR', comment: 'why' }
        ]
      }
    },
    'GET /v1/topics': {
      body: {
        topics: [{ topic: 'helixagent.debates', partitions: 1, events: 7 }]
      }
    },
    'GET /v1/dashboards': { status: 404, body: {} },
    'GET /v1/learning/insights?limit=5': { status: 404, body: {} },
    'GET /v1/runs?limit=100': {
      body: { runs: [makeRun(1)], next_cursor: null }
    }
  };
}

function labOn(routes: Routes, asked: string[] = []) {
  const events = new Signal<object, IServerEvent>({});
  const lab = new LabModel(serverWith(routes, asked), events, '1.0.0');
  return { lab, events };
}

describe('LabModel', () => {
  it('knows health, info, catalog and runs after a refresh', async () => {
    const { lab } = labOn(routesOfALab());

    await lab.refresh();

    expect(lab.connection.reach).toBe('connected');
    expect(lab.info.value?.backends).toEqual({ kafka: 'sqlite' });
    expect(
      lab.catalog.value?.map(({ name, columns }) => [
        name,
        columns.map(({ column }) => column)
      ])
    ).toEqual([
      ['a', ['x', 'y']],
      ['b', ['x']]
    ]);
    expect(lab.topics.value).toEqual([
      { topic: 'helixagent.debates', events: 7 }
    ]);
    expect(lab.runs.runs).toHaveLength(1);
  });

  it('asks how far the stores are whenever the lab answers', async () => {
    const asked: string[] = [];
    const { lab } = labOn(routesOfALab(), asked);
    await lab.refresh();
    asked.length = 0;

    await lab.connection.refresh();

    expect(asked).toEqual(['GET /health', 'GET /v1/info']);
  });

  it('reads what a server of another version tells of itself', async () => {
    const { lab } = labOn(routesOfALab());

    await lab.refresh();

    expect(lab.info.value?.providers).toEqual([]);
    expect(lab.info.value?.projection_lag).toEqual({});
  });

  it('counts the topics anew when a run ends', async () => {
    const asked: string[] = [];
    const { lab, events } = labOn(routesOfALab(), asked);
    await lab.refresh();
    asked.length = 0;
    const change = { run_id: 'run-1', state: 'failed', progress: 1 };

    events.emit({ schema_id: RUN_SCHEMA, ...change });

    expect(asked).toContain('GET /v1/topics');
  });

  it('has no dashboards where the route is not there', async () => {
    const { lab } = labOn(routesOfALab());

    await lab.refresh();

    expect(lab.dashboards.value).toBeNull();
    expect(lab.dashboards.error).toBeNull();
  });

  it('has the dashboards that the server names', async () => {
    const dashboards = [
      {
        name: 'overview',
        title: 'Overview',
        summary: 'What is recorded',
        path: 'helix-dash/overview',
        how_to: null
      }
    ];
    const routes = routesOfALab();
    routes['GET /v1/dashboards'] = { body: { dashboards } };
    const { lab } = labOn(routes);

    await lab.refresh();

    expect(lab.dashboards.value).toEqual(dashboards);
  });

  it.each([404, 503])('has no insights where it is told %d', async status => {
    const routes = routesOfALab();
    routes['GET /v1/learning/insights?limit=5'] = { status, body: {} };
    const { lab } = labOn(routes);

    await lab.refresh();

    expect(lab.insights.value).toBeNull();
    expect(lab.insights.error).toBeNull();
  });

  it('has the newest insights', async () => {
    const insights = [
      {
        insight_id: 'i1',
        description: '3 of 3 conversations were for help seeking.',
        impact: 'low',
        confidence: 0.8
      }
    ];
    const routes = routesOfALab();
    routes['GET /v1/learning/insights?limit=5'] = { body: { insights } };
    const { lab } = labOn(routes);

    await lab.refresh();

    expect(lab.insights.value).toEqual(insights);
  });

  it('takes the pushed states of runs, and no other event', async () => {
    const { lab, events } = labOn(routesOfALab());
    await lab.refresh();
    const change = { run_id: 'run-1', state: 'running', progress: 0.75 };

    events.emit({ schema_id: 'https://other.test/event' });
    events.emit({ schema_id: RUN_SCHEMA, ...change });

    expect(lab.runs.runs[0]?.progress).toBe(0.75);
  });

  it('hears nothing after it was disposed', async () => {
    const { lab, events } = labOn(routesOfALab());
    await lab.refresh();
    const change = { run_id: 'run-1', state: 'running', progress: 0.75 };

    lab.dispose();
    events.emit({ schema_id: RUN_SCHEMA, ...change });

    expect(lab.runs.runs[0]?.progress).toBe(0.25);
  });
});

describe('Connection', () => {
  it('is degraded when a backend is not reachable', async () => {
    const services = { kafka: 'embedded', neo4j: 'unreachable' };
    const routes = routesOfALab();
    routes['GET /health'] = { body: { status: 'degraded', services } };
    const { lab } = labOn(routes);

    await lab.connection.refresh();

    expect(lab.connection.reach).toBe('degraded');
  });

  it('tells a server without Helix Lab from one that is away', async () => {
    const routes = routesOfALab();
    routes['GET /health'] = { status: 404, body: 'no page' };
    const { lab } = labOn(routes);
    await lab.connection.refresh();
    expect(lab.connection.reach).toBe('missing');

    routes['GET /health'] = undefined;
    await lab.connection.refresh();

    expect(lab.connection.reach).toBe('unreachable');
    expect(lab.connection.reason).toContain('nobody answers');
  });

  it('says once that the server is back, and all is read again', async () => {
    const routes = routesOfALab();
    const { lab } = labOn(routes);
    await lab.connection.refresh();
    let returns = 0;
    lab.connection.returned.connect(() => {
      returns += 1;
    });

    routes['GET /health'] = undefined;
    await lab.connection.refresh();
    expect(lab.connection.health).toBeNull();
    routes['GET /health'] = HEALTHY;
    await lab.connection.refresh();
    await lab.connection.refresh();

    expect(returns).toBe(1);
    expect(lab.connection.reach).toBe('connected');
  });
});
