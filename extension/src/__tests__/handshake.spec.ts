import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { CommandRegistry } from '@lumino/commands';
import { nullTranslator } from '@jupyterlab/translation';

import { addCommands } from '../commands';
import { type IServerEvent, LabModel } from '../model/lab';
import { handshake } from '../plugins/handshake';
import { CommandIDs } from '../tokens';
import { type IAnswer, type Routes, serverWith } from './server';

/** JupyterLab shows that much of a notification. */
const SHOWN_LENGTH = 140;
const VERSION = '1.2.3';

function info(version: string): IAnswer {
  const body = { name: 'helix-lab', version, node_id: 'n', backends: {} };
  return { body };
}

const ABSENT: IAnswer = { status: 404, body: '<html>404</html>' };

/** The plugins on a server that answers so. */
async function startOn(answer: IAnswer | undefined) {
  const routes: Routes = { 'GET /v1/info': answer };
  const events = new Signal<object, IServerEvent>({});
  const model = new LabModel(serverWith(routes), events, VERSION);
  const commands = new CommandRegistry();
  const app = { commands } as unknown as JupyterFrontEnd;
  const trans = nullTranslator.load('helix_lab');
  addCommands({ app, model, notebooks: null, trans });
  await handshake.activate(app, model, null);
  await model.info.refresh();
  return { routes, model, commands };
}

function notices(): readonly string[] {
  return Notification.manager.notifications.map(({ message }) =>
    message.slice(0, SHOWN_LENGTH)
  );
}

function enabled(commands: CommandRegistry): readonly string[] {
  return Object.values(CommandIDs).filter(id => commands.isEnabled(id));
}

afterEach(() => {
  Notification.manager.dismiss();
});

describe('handshake', () => {
  it('says nothing when the versions agree, and offers what needs the server', async () => {
    const { commands } = await startOn(info(VERSION));

    expect(notices()).toEqual([]);
    expect(enabled(commands)).toContain(CommandIDs.cancelRun);
    expect(enabled(commands)).toContain(CommandIDs.openResult);
    expect(enabled(commands)).toContain(CommandIDs.openDashboard);
  });

  it.each([
    [
      'missing',
      ABSENT,
      /"jupyter server extension enable helix_lab_server", then restart/
    ],
    ['another one', info('99.0.0'), /99\.0\.0.*1\.2\.3.*[Rr]eload/],
    ['down', undefined, /reload the page/]
  ])(
    'says once what to do when the server extension is %s, and offers only what does without',
    async (_, answer, advice) => {
      const { model, commands } = await startOn(answer);
      await model.info.refresh();
      await model.info.refresh();

      expect(notices()).toEqual([expect.stringMatching(advice)]);
      expect(enabled(commands)).toEqual([
        CommandIDs.showPanel,
        CommandIDs.refresh,
        CommandIDs.newNotebook,
        CommandIDs.insertName
      ]);
    }
  );

  it('takes the notice back when the server is right again', async () => {
    const { routes, model, commands } = await startOn(ABSENT);
    routes['GET /v1/info'] = info(VERSION);

    await model.info.refresh();

    expect(notices()).toEqual([]);
    expect(enabled(commands)).toContain(CommandIDs.cancelRun);
  });

  it('names the version of a server that was updated under the page', async () => {
    const { routes, model } = await startOn(info(VERSION));
    routes['GET /v1/info'] = info('2.0.0');

    await model.info.refresh();

    expect(notices()).toEqual([expect.stringContaining('2.0.0')]);
  });

  it('leaves it to the panel when a server that agreed goes away', async () => {
    const { routes, model } = await startOn(info(VERSION));
    routes['GET /v1/info'] = undefined;

    await model.info.refresh();

    expect(notices()).toEqual([]);
  });
});
