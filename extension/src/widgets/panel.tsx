import type { ITranslator } from '@jupyterlab/translation';
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import React from 'react';

import type { LabModel } from '../model/lab';
import { ReportsView } from '../reports/view';
import { CommandIDs, PANEL_ID } from '../tokens';
import { CatalogView } from './catalog';
import { DashboardsView } from './dashboards';
import { HealthView } from './health';
import { helixIcon } from './icon';
import { InsightsView } from './insights';
import { RunsView } from './runs';

/** The side panel: a section for each thing that the lab has. */
export class HelixPanel extends SidePanel {
  private readonly insights: ReactWidget;
  private readonly dashboards: ReactWidget;

  constructor(
    private readonly model: LabModel,
    commands: CommandRegistry,
    translator: ITranslator
  ) {
    super({ translator });
    const trans = translator.load('helix_lab');
    this.id = PANEL_ID;
    this.title.icon = helixIcon;
    this.title.caption = trans.__('Helix Lab');
    this.addClass('hx-Panel');
    const run = (command: string, args: Record<string, string>) => {
      void commands.execute(command, args);
    };
    const section = (title: string, content: React.JSX.Element) => {
      const widget = ReactWidget.create(content);
      widget.title.label = title;
      widget.addClass('hx-PanelSection');
      return widget;
    };
    this.addWidget(
      section(
        trans.__('Connections and Health'),
        <HealthView {...{ model, trans }} />
      )
    );
    this.addWidget(
      section(
        trans.__('Catalog'),
        <CatalogView
          {...{ model, trans }}
          insert={name => {
            run(CommandIDs.insertName, { name });
          }}
        />
      )
    );
    this.addWidget(
      section(
        trans.__('Runs'),
        <RunsView
          {...{ model, trans }}
          cancel={run_id => {
            run(CommandIDs.cancelRun, { run_id });
          }}
          open={run_id => {
            run(CommandIDs.openResult, { run_id });
          }}
        />
      )
    );
    this.addWidget(
      section(
        trans.__('Reports'),
        <ReportsView
          {...{ model, trans }}
          open={({ title }, { run_id }) => {
            run(CommandIDs.openReport, { title, run_id });
          }}
        />
      )
    );
    this.insights = section(
      trans.__('Insights'),
      <InsightsView {...{ model, trans }} />
    );
    this.dashboards = section(
      trans.__('Dashboards'),
      <DashboardsView
        {...{ model, trans }}
        open={({ title, path }) => {
          run(CommandIDs.openDashboard, { title, path });
        }}
      />
    );
    model.insights.changed.connect(this.showInsights);
    this.showInsights();
    model.dashboards.changed.connect(this.showDashboards);
    this.showDashboards();
  }

  override dispose(): void {
    this.model.insights.changed.disconnect(this.showInsights);
    this.model.dashboards.changed.disconnect(this.showDashboards);
    this.insights.dispose();
    this.dashboards.dispose();
    super.dispose();
  }

  /** The section is there only when the server learns. */
  private readonly showInsights = (): void => {
    this.offer(this.insights, this.model.insights.value !== null);
  };

  /** The section is there only when the server offers dashboards. */
  private readonly showDashboards = (): void => {
    this.offer(this.dashboards, this.model.dashboards.value !== null);
  };

  private offer(section: Widget, isOffered: boolean): void {
    if (isOffered && section.parent === null) {
      this.addWidget(section);
    } else if (!isOffered) {
      section.parent = null;
    }
  }
}
