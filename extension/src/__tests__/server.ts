import { ServerConnection } from '@jupyterlab/services';

/** One canned answer: its body as JSON, and 200 unless another status is given. */
export interface IAnswer {
  readonly status?: number;
  readonly body: unknown;
}

export type Routes = Record<string, IAnswer | (() => IAnswer) | undefined>;

/** Settings whose network answers by `METHOD /path?query`; `asked` collects what was asked. */
export function serverWith(
  routes: Routes,
  asked: string[] = []
): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/',
    fetch: (input: RequestInfo | URL) => {
      const { method, url } = input as Request;
      const { pathname, searchParams } = new URL(url);
      const known = [...searchParams].filter(([name]) => /^[a-z]/.test(name));
      const query = new URLSearchParams(known).toString();
      const name = `${method} ${pathname}${query && `?${query}`}`;
      asked.push(name);
      const route = routes[name];
      if (route === undefined) {
        return Promise.reject(new TypeError(`nobody answers ${name}`));
      }
      const { status = 200, body } =
        typeof route === 'function' ? route() : route;
      return Promise.resolve(new Response(JSON.stringify(body), { status }));
    }
  });
}

/** A run as the server tells it, running unless told otherwise. */
export function makeRun(number: number, more: object = {}) {
  return {
    run_id: `run-${number}`,
    kind: 'debate',
    state: 'running',
    progress: 0.25,
    result: null,
    error: null,
    artifacts: [],
    created_at: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
    started_at: '2026-01-02T00:00:00Z',
    ended_at: null,
    ...more
  };
}
