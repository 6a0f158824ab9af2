import { ServerConnection } from '@jupyterlab/services';

import { ApiError, getHealth, getInfo, request } from '../api';

/** Settings whose network is one canned answer; `asked` collects what was sent. */
function serverThatAnswers(
  status: number,
  body: string,
  asked: Request[] = []
): ServerConnection.ISettings {
  return ServerConnection.makeSettings({
    baseUrl: 'http://lab.test/user/ada/',
    token: 'secret',
    fetch: (input: RequestInfo | URL) => {
      asked.push(input as Request);
      return Promise.resolve(
        new Response(body, { status, statusText: 'Because' })
      );
    }
  });
}

const INFO = {
  name: 'helix-lab',
  version: '1.2.3',
  node_id: 'node-1',
  backends: { log: 'sqlite' },
  providers: ['offline', 'sage'],
  provider_problems: { sage: 'no key' },
  projection_lag: { analytics: 3 },
  projection_faults: { analytics: 'the disk is full' }
};

describe('getInfo', () => {
  it('gives what the server says of itself', async () => {
    const settings = serverThatAnswers(200, JSON.stringify(INFO));

    const info = await getInfo(settings);

    expect(info).toEqual(INFO);
  });

  it('asks below the base URL of the server, with its token', async () => {
    const asked: Request[] = [];
    const settings = serverThatAnswers(200, JSON.stringify(INFO), asked);

    await getInfo(settings);

    expect(asked.map(({ url }) => url)).toEqual([
      expect.stringMatching(/^http:\/\/lab\.test\/user\/ada\/v1\/info(\?|$)/)
    ]);
    expect(asked[0]?.headers.get('Authorization')).toBe('token secret');
  });

  it.each([
    '{}',
    '[]',
    'null',
    '"helix-lab"',
    '{"name": "helix-lab", "version": 1}',
    '{"name": "helix-lab", "version": "1", "node_id": "n", "backends": []}'
  ])('refuses an answer of another shape: %s', async body => {
    const settings = serverThatAnswers(200, body);

    await expect(getInfo(settings)).rejects.toMatchObject({
      code: 'bad_answer'
    });
  });
});

describe('request', () => {
  it('carries the code and the message of a refusal', async () => {
    const error = { code: 'not_found', message: 'no conversation "c9"' };
    const settings = serverThatAnswers(404, JSON.stringify({ error }));

    const answer = request('conversations/c9', {}, settings);

    await expect(answer).rejects.toBeInstanceOf(ApiError);
    await expect(answer).rejects.toMatchObject({ status: 404, ...error });
  });

  it('names the status when a refusal is not JSON', async () => {
    const settings = serverThatAnswers(502, '<html>Bad gateway</html>');

    const answer = request('info', {}, settings);

    await expect(answer).rejects.toMatchObject({
      status: 502,
      code: 'unknown',
      message: '502 Because'
    });
  });

  it('refuses a page where JSON should be', async () => {
    const settings = serverThatAnswers(200, '<html>Log in</html>');

    await expect(request('info', {}, settings)).rejects.toMatchObject({
      code: 'not_json'
    });
  });

  it('gives up a server that hangs', async () => {
    jest.useFakeTimers();
    const settings = ServerConnection.makeSettings({
      fetch: (input: RequestInfo | URL) =>
        new Promise<Response>((_, reject) => {
          const { signal } = input as Request;
          signal.addEventListener('abort', () => {
            reject(new TypeError('given up'));
          });
        })
    });

    const answer = expect(getHealth(settings)).rejects.toThrow('given up');
    await jest.advanceTimersByTimeAsync(10_000);

    await answer;
    jest.useRealTimers();
  });

  it('says so when the server cannot be reached', async () => {
    const settings = ServerConnection.makeSettings({
      fetch: () => Promise.reject(new TypeError('connection refused'))
    });

    await expect(request('info', {}, settings)).rejects.toBeInstanceOf(
      ServerConnection.NetworkError
    );
  });
});
