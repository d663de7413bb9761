/** Runs in the main area: one view for each that was opened. */
import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { CommandIDs, IHubyard } from '../hubyard';
import { RunView } from '../run/view';

const NAMESPACE = 'hubyard-run';

type Views = WidgetTracker<MainAreaWidget<RunView>>;

export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:run',
  description: 'The view of a run: its steps, their times, and its history.',
  autoStart: true,
  requires: [IHubyard],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    restorer: ILayoutRestorer | null
  ) => {
    const views: Views = new WidgetTracker({ namespace: NAMESPACE });
    addOpenRun(app, hubyard, views);
    void restorer?.restore(views, {
      command: CommandIDs.openRun,
      args: ({ content, title }) => ({ run: content.run, name: title.label }),
      name: ({ content }) => content.run
    });
  }
};

function addOpenRun(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  views: Views
): void {
  const { trans } = hubyard;
  app.commands.addCommand(CommandIDs.openRun, {
    label: trans.__('Open Run'),
    caption: trans.__('Show the steps of a run, their times and its history'),
    describedBy: {
      args: {
        type: 'object',
        required: ['run'],
        properties: {
          run: { type: 'string', description: trans.__('The id of the run') },
          name: { type: 'string', description: trans.__('The name of the run') }
        }
      }
    },
    execute: args => {
      const { run } = args;
      if (typeof run !== 'string') {
        return;
      }
      const open = views.find(({ content }) => content.run === run);
      const name = typeof args.name === 'string' ? args.name : trans.__('Run');
      const view = open ?? createView(app, hubyard, run, name);
      if (open === undefined) {
        void views.add(view);
        app.shell.add(view, 'main');
      }
      app.shell.activateById(view.id);
    }
  });
}

function createView(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  run: string,
  name: string
): MainAreaWidget<RunView> {
  const contents = app.serviceManager.contents;
  const content = new RunView(hubyard, contents, run);
  const widget = new MainAreaWidget({ content });
  widget.id = `${NAMESPACE}-${run}`;
  widget.title.label = name;
  widget.title.icon = content.title.icon;
  widget.title.closable = true;
  return widget;
}
