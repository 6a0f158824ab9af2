import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import { Fields } from '../answer';
import {
  getInfo,
  type IDashboard,
  type IInfo,
  type IInsight,
  type IProviderRecord,
  type ITopic,
  listColumns,
  listDashboards,
  listNewestInsights,
  listProviderRecords,
  listTopics,
  RUN_STATES
} from '../api';
import { ReportsModel } from '../reports/model';
import { groupByTable, type ITable } from './catalog';
import { Connection } from './connection';
import { type Handshake, judgeHandshake } from './handshake';
import { hasEnded, RunList } from './runs';
import { Watched } from './watched';

/** The schema of the events by which the server tells how runs change. */
export const RUN_SCHEMA = 'https://schema.helix-lab.org/events/run/v1';

/** An event of the Jupyter server; its payload lies beside `schema_id`. */
export interface IServerEvent {
  readonly schema_id: string;
}

/** Everything that the page knows of the lab on its server. */
export class LabModel implements IDisposable {
  readonly connection: Connection;
  readonly info: Watched<IInfo>;
  readonly catalog: Watched<readonly ITable[]>;
  readonly topics: Watched<readonly ITopic[]>;
  readonly dashboards: Watched<readonly IDashboard[] | null>;
  /** Null before it is known, and where the server does not learn. */
  readonly insights: Watched<readonly IInsight[] | null>;
  readonly providers: Watched<readonly IProviderRecord[]>;
  readonly runs: RunList;
  readonly reports: ReportsModel;
  private readonly _leave: () => void;
  private _isDisposed = false;

  constructor(
    readonly settings: ServerConnection.ISettings,
    events: ISignal<unknown, IServerEvent>,
    private readonly version: string
  ) {
    this.connection = new Connection(settings);
    this.info = new Watched(() => getInfo(settings));
    this.catalog = new Watched(async () =>
      groupByTable(await listColumns(settings))
    );
    this.topics = new Watched(() => listTopics(settings));
    this.dashboards = new Watched(() => listDashboards(settings));
    this.insights = new Watched(() => listNewestInsights(settings));
    this.providers = new Watched(() => listProviderRecords(settings));
    this.runs = new RunList(settings);
    this.reports = new ReportsModel(settings);
    // As fresh as the health: how far the stores are is in it.
    this.connection.answered.connect(() => {
      void this.info.refresh();
    });
    this.connection.returned.connect(() => {
      void this.refreshContents();
      this.runs.watchClosely();
    });
    this.runs.stateChanged.connect((_, run) => {
      if (hasEnded(run)) {
        void this.topics.refresh();
        void this.insights.refresh();
        void this.providers.refresh();
      }
    });
    events.connect(this.onEvent);
    this._leave = () => {
      events.disconnect(this.onEvent);
    };
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether front end and server belong together; as new as `info`. */
  get handshake(): Handshake {
    return judgeHandshake(this.version, this.info);
  }

  /** Whether what needs the server can be offered. */
  get isUsable(): boolean {
    return this.handshake.kind === 'agreed';
  }

  /** Begin to ask. */
  start(): void {
    void this.info.refresh();
    this.connection.start();
    this.runs.start();
  }

  /** Ask for everything again; never throws. */
  async refresh(): Promise<void> {
    await this.connection.refresh();
    await this.refreshContents();
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.connection.dispose();
      this.runs.dispose();
      this._leave();
    }
  }

  private async refreshContents(): Promise<void> {
    await Promise.all([
      this.info.refresh(),
      this.catalog.refresh(),
      this.topics.refresh(),
      this.dashboards.refresh(),
      this.insights.refresh(),
      this.providers.refresh(),
      this.runs.refresh(),
      this.reports.refresh()
    ]);
  }

  private readonly onEvent = (_: unknown, event: IServerEvent): void => {
    if (event.schema_id === RUN_SCHEMA) {
      const fields = new Fields(event);
      this.runs.accept({
        run_id: fields.text('run_id'),
        state: fields.oneOf('state', RUN_STATES),
        progress: fields.number('progress')
      });
    }
  };
}
