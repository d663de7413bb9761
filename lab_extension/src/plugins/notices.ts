/** The bell in the status bar, its toasts, and where they lead. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import type { Contents } from '@jupyterlab/services';
import { IStatusBar } from '@jupyterlab/statusbar';
import { wordsOf } from '../api/poll';
import { Bell, Teller } from '../bell';
import { CommandIDs, IHubyard } from '../hubyard';
import { BrowserMemory } from '../memory';
import { openExecuted } from '../sections/notebook';
import { fail } from '../toast';

export const noticesPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:notices',
  description: 'Tells of runs that broke, are late or are well again.',
  autoStart: true,
  requires: [IHubyard],
  optional: [IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    statusBar: IStatusBar | null
  ) => {
    addOpenFailure(app, hubyard);
    const teller = new Teller(
      hubyard,
      new BrowserMemory('hubyard:notices-told')
    );
    hubyard.polls.notices.subscribe(teller.look);
    statusBar?.registerStatusItem('@hubyard/lab:notices', {
      align: 'right',
      rank: 91,
      item: new Bell(hubyard)
    });
  }
};

function addOpenFailure(app: JupyterFrontEnd, hubyard: IHubyard): void {
  const { trans } = hubyard;
  const { contents } = app.serviceManager;
  app.commands.addCommand(CommandIDs.openFailure, {
    label: trans.__('Open Failure'),
    caption: trans.__('Open what a run has executed, at the cell that failed'),
    describedBy: {
      args: {
        type: 'object',
        required: ['run'],
        properties: {
          run: { type: 'string', description: trans.__('The id of the run') }
        }
      }
    },
    execute: async args => {
      if (typeof args.run === 'string') {
        await openFailure(hubyard, contents, args.run).catch(
          (reason: unknown) => {
            fail(wordsOf(reason));
          }
        );
      }
    }
  });
}

/** Where a run has no notebook, its row says what became of it. */
async function openFailure(
  hubyard: IHubyard,
  contents: Contents.IManager,
  id: string
): Promise<void> {
  const run = await hubyard.client.runDetail(id);
  if (run.has_notebook) {
    await openExecuted(hubyard, contents, { run });
  } else {
    await hubyard.commands.execute(CommandIDs.open, { section: 'pipelines' });
  }
}
