import type { IInfo } from '../api';
import { listProviders, listStores } from '../model/connections';

const INFO: IInfo = {
  name: 'helix-lab',
  version: '1.0.0',
  node_id: 'node-1',
  backends: {},
  providers: ['offline', 'keyless', 'busy', 'broken'],
  provider_problems: { keyless: 'the environment variable KEY is not set' },
  projection_lag: { conversations: 0, analytics: 12, memory: 3 },
  projection_faults: { memory: 'Unavailable: the disk is full' }
};

const RECORDS = [
  { provider: 'busy', total_requests: 10, success_rate: 0.9 },
  { provider: 'busy', total_requests: 3, success_rate: 1 },
  { provider: 'broken', total_requests: 5, success_rate: 0 },
  { provider: 'gone', total_requests: 5, success_rate: 1 }
];

describe('listStores', () => {
  it('tells a store that is level from one behind and one that stands still', () => {
    expect(listStores(INFO)).toEqual([
      { name: 'conversations', state: 'level', lag: 0, fault: '' },
      { name: 'analytics', state: 'behind', lag: 12, fault: '' },
      {
        name: 'memory',
        state: 'halted',
        lag: 3,
        fault: 'Unavailable: the disk is full'
      }
    ]);
  });
});

describe('listProviders', () => {
  it('takes the models of a provider together, and leaves out others', () => {
    expect(listProviders(INFO, RECORDS)).toEqual([
      { name: 'offline', state: 'unused', asked: 0, answered: 0, problem: '' },
      {
        name: 'keyless',
        state: 'blocked',
        asked: 0,
        answered: 0,
        problem: 'the environment variable KEY is not set'
      },
      {
        name: 'busy',
        state: 'answering',
        asked: 13,
        answered: 12,
        problem: ''
      },
      { name: 'broken', state: 'failing', asked: 5, answered: 0, problem: '' }
    ]);
  });

  it('does not say what it does not know', () => {
    const states = listProviders(INFO, null).map(({ state }) => state);

    expect(states).toEqual(['unknown', 'blocked', 'unknown', 'unknown']);
  });
});
