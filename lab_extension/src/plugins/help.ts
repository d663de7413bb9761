/** Help: the guides in the main area, one page at a time. */
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
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ToolbarButton } from '@jupyterlab/ui-components';
import { helpIcon } from '../components/icons';
import { CONTENTS, Help } from '../help';
import { CommandIDs, IHubyard } from '../hubyard';

const HELP_ID = 'hubyard-help';

type HelpTracker = WidgetTracker<MainAreaWidget<Help>>;

export const helpPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:help',
  description: 'The guides of Hubyard, inside JupyterLab.',
  autoStart: true,
  requires: [IHubyard, IRenderMimeRegistry],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const tracker: HelpTracker = new WidgetTracker({ namespace: HELP_ID });
    addHelp(app, hubyard, rendermime, tracker);
    const category = hubyard.trans.__('Hubyard');
    palette?.addItem({ command: CommandIDs.help, category });
    void restorer?.restore(tracker, {
      command: CommandIDs.help,
      args: widget => ({ page: widget.content.page }),
      name: () => HELP_ID
    });
  }
};

function addHelp(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  rendermime: IRenderMimeRegistry,
  tracker: HelpTracker
): void {
  const { trans } = hubyard;
  app.commands.addCommand(CommandIDs.help, {
    label: trans.__('Hubyard Help'),
    caption: trans.__('Show the guides of Hubyard'),
    icon: helpIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          page: {
            type: 'string',
            description: trans.__('The page, such as tracking.md')
          }
        }
      }
    },
    execute: args => {
      const asked = typeof args.page === 'string' ? args.page : null;
      const open = tracker.currentWidget;
      if (open === null) {
        const page = asked ?? CONTENTS;
        app.shell.add(createHelp(hubyard, rendermime, tracker, page), 'main');
      } else if (asked !== null) {
        open.content.follow(asked);
      }
      app.shell.activateById(HELP_ID);
    }
  });
}

function createHelp(
  hubyard: IHubyard,
  rendermime: IRenderMimeRegistry,
  tracker: HelpTracker,
  page: string
): MainAreaWidget<Help> {
  const content = new Help(
    hubyard,
    rendermime,
    () => void tracker.save(widget)
  );
  const widget = new MainAreaWidget({ content, reveal: content.open(page) });
  widget.id = HELP_ID;
  widget.node.dataset.testid = 'hy-help-view';
  widget.toolbar.addItem(
    'contents',
    new ToolbarButton({
      label: hubyard.trans.__('Contents'),
      tooltip: hubyard.trans.__('Show all pages of the help'),
      onClick: () => {
        content.follow(CONTENTS);
      }
    })
  );
  void tracker.add(widget);
  return widget;
}
