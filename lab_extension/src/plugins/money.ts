/** Money at work: warnings before an end, more time, and who is at the keyboard. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import type { Told } from '../budgets';
import { extendIcon } from '../components/icons';
import { nearEndPace } from '../ending';
import { askToExtend } from '../extend';
import { CommandIDs, IHubyard } from '../hubyard';
import { Presence } from '../presence';
import { whilePageSeen } from '../seen';
import { BudgetWarner, EndWarner } from '../warner';

const TOLD = 'hubyard-money:told';
const CALM_MS = 60_000;

export const moneyPlugin: JupyterFrontEndPlugin<void> = {
  id: '@hubyard/lab:money',
  description: 'Warns before this workspace ends or a budget is spent.',
  autoStart: true,
  requires: [IHubyard],
  optional: [ICommandPalette, IStateDB],
  activate: (
    app: JupyterFrontEnd,
    hubyard: IHubyard,
    palette: ICommandPalette | null,
    state: IStateDB | null
  ) => {
    addExtend(app, hubyard);
    const category = hubyard.trans.__('Hubyard');
    palette?.addItem({ command: CommandIDs.extend, category });
    warnOfEnd(hubyard);
    void warnOfBudgets(hubyard, state);
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

async function warnOfBudgets(
  hubyard: IHubyard,
  state: IStateDB | null
): Promise<void> {
  const { spend } = hubyard.polls;
  const told = toldOf(await state?.fetch(TOLD));
  const keep = (now: Told) => void state?.save(TOLD, now);
  const warner = new BudgetWarner(hubyard, told, keep);
  spend.subscribe(warner.look);
  whilePageSeen(() => spend.watch(CALM_MS));
}

/** What was kept: whoever wrote it, only levels are read. */
function toldOf(kept: ReadonlyPartialJSONValue | undefined): Told {
  const levels = Object.entries(Object(kept ?? {}) as object).filter(
    (pair): pair is [string, number] => typeof pair[1] === 'number'
  );
  return Object.fromEntries(levels);
}
