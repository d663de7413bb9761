/** The warner: toasts before this workspace ends and before budgets are spent. */
import type { Workload } from './api/types';
import { budgetWarning, warningsOf } from './budgets';
import {
  Alarm,
  endOf,
  extensionText,
  FIRST_WARNING_S,
  type IEnd,
  warningText
} from './ending';
import { extend } from './extend';
import { CommandIDs, type IHubyard } from './hubyard';
import type { IMemory } from './memory';
import type { Presence } from './presence';
import { dismiss, type INext, warn } from './toast';

/** Warns before the end, and takes the warning back when the end moves away. */
export class EndWarner {
  constructor(
    private readonly hubyard: IHubyard,
    private readonly presence: Presence
  ) {}

  /** Look at what the platform said last. */
  readonly look = (): void => {
    const { state } = this.hubyard.polls.workspace;
    const end = endOf(state);
    if (end === null || state.data === null) {
      return;
    }
    if (end.left > FIRST_WARNING_S) {
      this.takeBack();
    }
    // Who has just touched a key is no idle person: the platform will soon know.
    const atWork = end.reason === 'idle' && this.presence.isRecent();
    if (!atWork && this.alarm.isDue(end)) {
      this.takeBack();
      this.shown = this.say(state.data, end);
    }
  };

  private say(workload: Workload, end: IEnd): string {
    const { trans } = this.hubyard;
    const text = warningText(trans, end);
    const extension = workload.extension ?? null;
    if (extension === null || extension.refusal != null) {
      const more = extension?.refusal ?? trans.__('Save your work.');
      return warn(`${text} ${more}`, showSpend(this.hubyard));
    }
    return warn(`${text} ${trans.__('Save your work.')}`, {
      label: extensionText(trans, extension),
      run: () => {
        extend(this.hubyard, workload, extension);
      }
    });
  }

  private takeBack(): void {
    if (this.shown !== null) {
      dismiss(this.shown);
      this.shown = null;
    }
  }

  private readonly alarm = new Alarm();
  private shown: string | null = null;
}

/** Warns of budgets, each level once a month. */
export class BudgetWarner {
  constructor(
    private readonly hubyard: IHubyard,
    private readonly memory: IMemory
  ) {}

  /** Look at what the platform said last. */
  readonly look = (): void => {
    const { polls, trans } = this.hubyard;
    const next = showSpend(this.hubyard);
    const spend = polls.spend.state.data;
    if (spend === null) {
      return;
    }
    const before = this.memory.read(spend.owner);
    const { due, told } = warningsOf(spend, before);
    if (due.length > 0) {
      this.memory.keep(spend.owner, told);
    }
    for (const budget of due) {
      const key = `${budget.scope} ${budget.name}`;
      const older = this.shown.get(key);
      if (older !== undefined) {
        dismiss(older);
      }
      this.shown.set(key, warn(budgetWarning(trans, budget), next));
    }
  };

  /** The newest toast of each budget: what an older one says is no longer true. */
  private readonly shown = new Map<string, string>();
}

/** Where all of it stands, for a toast is short; nothing, where the panel is off. */
function showSpend({ commands, trans }: IHubyard): INext | undefined {
  return commands.hasCommand(CommandIDs.open)
    ? {
        label: trans.__('Show'),
        run: () => void commands.execute(CommandIDs.open, { section: 'spend' })
      }
    : undefined;
}
