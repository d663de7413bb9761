/** Commands on the open notebook or file: schedule, run once, publish. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';
import { publishIcon, scheduleIcon, startIcon } from '../components/icons';
import { openPublish } from '../dialogs/publish';
import { openRunNow, openSchedule } from '../dialogs/schedule';
import { openUpdate } from '../dialogs/update';
import { CommandIDs, IHubyard } from '../hubyard';
import { warn } from '../toast';

/** Notebooks, scripts, and pipelines where a project has them. */
const RUNNABLE = /\.(ipynb|py)$|(^|\/)(pipelines\/[^/]+\.ya?ml|hubyard\.yml)$/;
const PUBLISHABLE = /\.(ipynb|py)$/;

export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:notebook',
  description: 'Schedule a notebook, run it once, publish it as an app.',
  autoStart: true,
  requires: [IHubyard, IDocumentManager],
  optional: [ICommandPalette, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    documents: IDocumentManager,
    palette: ICommandPalette | null,
    browsers: IFileBrowserFactory | null
  ) => {
    const { trans } = hubyard;
    const files = new Files(app, documents, browsers);
    const category = trans.__('Hubyard');
    for (const deed of deedsOf(hubyard)) {
      addDeed(app, hubyard, files, deed);
      palette?.addItem({ command: deed.id, category });
    }
    addUpdate(app, hubyard, files);
  }
};

/** Something that can be done with one file. */
interface IDeed {
  readonly id: string;
  readonly label: string;
  /** The label where the file is pointed at. */
  readonly short: string;
  readonly caption: string;
  readonly icon: LabIcon;
  readonly files: RegExp;
  /** What to say when no file of that kind is at hand. */
  readonly missing: string;
  readonly open: (hubyard: IHubyard, path: string) => Promise<void>;
}

function deedsOf({ trans }: IHubyard): IDeed[] {
  const runnable = {
    files: RUNNABLE,
    missing: trans.__('Open a notebook, a script or a pipeline first.')
  };
  return [
    {
      ...runnable,
      id: CommandIDs.schedule,
      label: trans.__('Schedule Notebook or Pipeline…'),
      short: trans.__('Schedule…'),
      caption: trans.__('Run this file on a schedule'),
      icon: scheduleIcon,
      open: openSchedule
    },
    {
      ...runnable,
      id: CommandIDs.runNow,
      label: trans.__('Run Notebook or Pipeline Once…'),
      short: trans.__('Run Once…'),
      caption: trans.__('Run this file once, on compute of its own'),
      icon: startIcon,
      open: openRunNow
    },
    {
      id: CommandIDs.publishApp,
      label: trans.__('Publish as App…'),
      short: trans.__('Publish as App…'),
      caption: trans.__('Publish this file as a web app'),
      icon: publishIcon,
      files: PUBLISHABLE,
      missing: trans.__('Open a notebook or a Python file first.'),
      open: openPublish
    }
  ];
}

function addDeed(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  files: Files,
  deed: IDeed
): void {
  const { trans } = hubyard;
  app.commands.addCommand(deed.id, {
    label: ({ selected }) => (selected === true ? deed.short : deed.label),
    caption: deed.caption,
    icon: deed.icon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: {
            type: 'string',
            description: trans.__('The file; the open one when it is left out')
          },
          selected: {
            type: 'boolean',
            description: trans.__('Take what is selected in the file browser')
          }
        }
      }
    },
    // In a menu of a file, only where it can be done with that file.
    isVisible: ({ selected }) =>
      selected !== true || deed.files.test(files.atHand(true) ?? ''),
    execute: async args => {
      const path =
        typeof args.path === 'string'
          ? args.path
          : files.atHand(args.selected === true);
      if (path === null || !deed.files.test(path)) {
        warn(deed.missing);
        return;
      }
      if (await files.save(path)) {
        await deed.open(hubyard, path);
      }
    }
  });
}

/** A schedule takes what it runs anew from the open file of that name. */
function addUpdate(
  app: JupyterFrontEnd,
  hubyard: IHubyard,
  files: Files
): void {
  const { polls, trans } = hubyard;
  app.commands.addCommand(CommandIDs.updateSchedule, {
    label: trans.__('Update Schedule to My Latest Notebook…'),
    describedBy: {
      args: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string', description: trans.__('The schedule') }
        }
      }
    },
    execute: async ({ id }) => {
      const schedule = polls.schedules.state.data?.find(each => each.id === id);
      const path = files.atHand(false);
      if (schedule === undefined) {
        return;
      }
      // A pipeline is named from its project's folder on.
      if (path === null || !`/${path}`.endsWith(`/${schedule.notebook}`)) {
        warn(trans.__('Open %1 first.', schedule.notebook));
        return;
      }
      if (await files.save(path)) {
        await openUpdate(hubyard, path, schedule);
      }
    }
  });
}

/** The files that a command can mean, saved before they are taken. */
class Files {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly documents: IDocumentManager,
    private readonly browsers: IFileBrowserFactory | null
  ) {
    app.shell.currentChanged?.connect(() => {
      this.remember();
    });
  }

  /** The file that is selected or in front; null: none is. */
  atHand(selected: boolean): string | null {
    const item = this.browsers?.tracker.currentWidget?.selectedItems().next();
    if (selected && item?.done === false) {
      return item.value.path;
    }
    return this.inFront()?.path ?? null;
  }

  /** Save the file where it is open; false: the person gave up. */
  async save(path: string): Promise<boolean> {
    const widget = this.documents.findWidget(path);
    const context = widget && this.documents.contextForWidget(widget);
    if (context?.model.dirty === true) {
      await context.save();
    }
    return context?.model.dirty !== true;
  }

  /** The document that was last worked in: using the panel does not change it. */
  private inFront(): DocumentRegistry.Context | undefined {
    this.remember();
    const main = [...this.app.shell.widgets('main')];
    const seen = main.filter(widget => widget.isVisible);
    const last = seen.find(widget => widget === this.last);
    return [...(last ? [last] : []), ...seen]
      .map(widget => this.documents.contextForWidget(widget))
      .find(context => context !== undefined);
  }

  private remember(): void {
    const current = this.app.shell.currentWidget;
    if (current && this.documents.contextForWidget(current)) {
      this.last = current;
    }
  }

  private last: Widget | null = null;
}
