/** The week in the main area: one view, which comes back after a reload. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  MainAreaWidget,
  WidgetTracker
} from '@jupyterlab/apputils';
import { weekIcon } from '../components/icons';
import { CommandIDs, IHubyard } from '../hubyard';
import { WeekView } from '../week/view';

const WEEK_ID = 'hubyard-week';

type Views = WidgetTracker<MainAreaWidget<WeekView>>;

export const weekPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:week',
  description: 'The calendar of a week: what ran and what comes due.',
  autoStart: true,
  requires: [IHubyard],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const views: Views = new WidgetTracker({ namespace: WEEK_ID });
    addOpenWeek(app, hubyard, views);
    const category = hubyard.trans.__('Hubyard');
    palette?.addItem({ command: CommandIDs.openWeek, category });
    void restorer?.restore(views, {
      command: CommandIDs.openWeek,
      name: () => WEEK_ID
    });
  }
};

function addOpenWeek(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  views: Views
): void {
  const { trans } = hubyard;
  app.commands.addCommand(CommandIDs.openWeek, {
    label: trans.__('Week of Schedules and Runs'),
    caption: trans.__('Show what ran and what comes due, day by day'),
    icon: weekIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => {
      if (views.currentWidget === null) {
        const view = new MainAreaWidget({ content: new WeekView(hubyard) });
        view.id = WEEK_ID;
        view.title.label = trans.__('Week');
        view.title.icon = weekIcon;
        view.title.closable = true;
        void views.add(view);
        app.shell.add(view, 'main');
      }
      app.shell.activateById(WEEK_ID);
    }
  });
}
