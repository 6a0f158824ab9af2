import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';

import manifest from '../../package.json';
import { handshake } from '../plugins/handshake';

/** JupyterLab shows that much of a notification. */
const SHOWN_LENGTH = 140;

/** Start the plugin on a server with one canned answer, and give what the user reads then. */
async function noticesAfterStart(
  answer: () => Promise<Response>
): Promise<readonly string[]> {
  const serverSettings = ServerConnection.makeSettings({ fetch: answer });
  const app = {
    serviceManager: { serverSettings }
  } as unknown as JupyterFrontEnd;

  await handshake.activate(app, null);

  return Notification.manager.notifications.map(({ message }) =>
    message.slice(0, SHOWN_LENGTH)
  );
}

function info(version: string): () => Promise<Response> {
  const body = JSON.stringify({
    name: 'helix-lab',
    version,
    node_id: 'node-1',
    backends: {}
  });
  return () => Promise.resolve(new Response(body));
}

afterEach(() => {
  Notification.manager.dismiss();
});

describe('handshake', () => {
  it('says nothing when the versions agree', async () => {
    expect(await noticesAfterStart(info(manifest.version))).toEqual([]);
  });

  it('says what to do when the server extension is missing', async () => {
    const notFound = () =>
      Promise.resolve(new Response('<html>404</html>', { status: 404 }));

    expect(await noticesAfterStart(notFound)).toEqual([
      expect.stringMatching(
        /"jupyter server extension enable helix_lab_server", then restart/
      )
    ]);
  });

  it('names both versions when they differ', async () => {
    expect(await noticesAfterStart(info('99.0.0'))).toEqual([
      expect.stringMatching(`99\\.0\\.0.*${manifest.version}.*[Rr]eload`)
    ]);
  });

  it('says what to do when the server is down', async () => {
    const down = () => Promise.reject(new TypeError('connection refused'));

    expect(await noticesAfterStart(down)).toEqual([
      expect.stringContaining('reload the page')
    ]);
  });
});
