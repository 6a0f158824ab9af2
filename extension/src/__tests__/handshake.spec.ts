import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';

import manifest from '../../package.json';
import { handshake } from '../plugins/handshake';

/** Start the plugin on a server with one canned answer, and give the notifications it left. */
async function notificationsAfterStart(
  answer: () => Promise<Response>
): Promise<readonly string[]> {
  const serverSettings = ServerConnection.makeSettings({ fetch: answer });
  const app = {
    serviceManager: { serverSettings }
  } as unknown as JupyterFrontEnd;

  await handshake.activate(app, null);

  return Notification.manager.notifications.map(({ message }) => message);
}

function info(version: string): () => Promise<Response> {
  const body = JSON.stringify({
    name: 'helix-lab',
    version,
    node_id: 'node-1'
  });
  return () => Promise.resolve(new Response(body));
}

afterEach(() => {
  Notification.manager.dismiss();
});

describe('handshake', () => {
  it('says nothing when the versions agree', async () => {
    expect(await notificationsAfterStart(info(manifest.version))).toEqual([]);
  });

  it('says what to do when the server extension is missing', async () => {
    const notFound = () =>
      Promise.resolve(new Response('<html>404</html>', { status: 404 }));

    expect(await notificationsAfterStart(notFound)).toEqual([
      expect.stringContaining(
        'jupyter server extension enable helix_lab_server'
      )
    ]);
  });

  it('names both versions when they differ', async () => {
    expect(await notificationsAfterStart(info('99.0.0'))).toEqual([
      expect.stringMatching(`99\\.0\\.0.*${manifest.version}.*[Rr]eload`)
    ]);
  });

  it('says what to do when the server is down', async () => {
    const down = () => Promise.reject(new TypeError('connection refused'));

    expect(await notificationsAfterStart(down)).toEqual([
      expect.stringContaining('reload the page')
    ]);
  });
});
