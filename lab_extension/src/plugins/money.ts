/** Money at work: warnings before an end, more time, and who is at the keyboard. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { extendIcon } from '../components/icons';
import { nearEndPace } from '../ending';
import { askToExtend } from '../extend';
import { CommandIDs, IHubyard } from '../hubyard';
import { BrowserMemory } from '../memory';
import { Presence } from '../presence';
import { whilePageSeen } from '../seen';
import { BudgetWarner, EndWarner } from '../warner';

const CALM_MS = 60_000;

export const moneyPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:money',
  description: 'Warns before this workspace ends or a budget is spent.',
  autoStart: true,
  requires: [IHubyard],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    palette: ICommandPalette | null
  ) => {
    addExtend(app, hubyard);
    const category = hubyard.trans.__('Hubyard');
    palette?.addItem({ command: CommandIDs.extend, category });
    warnOfEnd(hubyard);
    warnOfBudgets(hubyard);
  }
};

function addExtend(app: JupyterFrontEnd, hubyard: IHubyard): void {
  const { trans } = hubyard;
  app.commands.addCommand(CommandIDs.extend, {
    label: trans.__('Extend Workspace…'),
    caption: trans.__('Give this workspace one more hour, at its price'),
    icon: extendIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => askToExtend(hubyard)
  });
}

function warnOfEnd(hubyard: IHubyard): void {
  const { client, polls } = hubyard;
  const presence = new Presence(() => client.present());
  presence.listen(document);
  polls.workspace.subscribe(new EndWarner(hubyard, presence).look);
  whilePageSeen(() => polls.workspace.watch(nearEndPace));
}

function warnOfBudgets(hubyard: IHubyard): void {
  const { spend } = hubyard.polls;
  spend.subscribe(new BudgetWarner(hubyard, new BrowserMemory()).look);
  whilePageSeen(() => spend.watch(CALM_MS));
}
