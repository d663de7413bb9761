/** Budgets in words: how each stands, and what is said of it once a month. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Budget, Spend } from './api/types';

const SPENT = 100;

/** Which level was told of each budget, by month. */
export type Told = Readonly<Record<string, number>>;

export interface IWarnings {
  readonly due: readonly Budget[];
  /** What is told once these are. */
  readonly told: Told;
}

/** The budgets of which something new is to be said; other months are forgotten. */
export function warningsOf(spend: Spend, told: Told): IWarnings {
  const due: Budget[] = [];
  const now: Record<string, number> = {};
  for (const budget of spend.budgets) {
    // A budget that was raised is another one.
    const { scope, name, amount, level } = budget;
    const key = `${spend.since} ${scope} ${amount.micros} ${name}`;
    const before = told[key] ?? 0;
    if (level > before) {
      due.push(budget);
    }
    now[key] = Math.max(level, before);
  }
  return { due, told: now };
}

/** Whose it is. */
export function budgetTitle(
  trans: TranslationBundle,
  { scope, name }: Budget
): string {
  switch (scope) {
    case 'user':
      return trans.__('Budget of %1', name);
    case 'group':
      return trans.__('Budget of the group %1', name);
    case 'project':
      return trans.__('Budget of the project %1', name);
  }
}

/** How far it is spent, in a word. */
export function levelText(trans: TranslationBundle, { level }: Budget): string {
  if (level >= SPENT) {
    return trans.__('spent');
  }
  return level > 0
    ? trans.__('%1 % reached', level)
    : trans.__('within budget');
}

/** What is said when it has reached a level. */
export function budgetWarning(
  trans: TranslationBundle,
  budget: Budget
): string {
  const title = budgetTitle(trans, budget);
  const { spent, amount } = budget;
  const next = nextText(trans, budget);
  return trans.__(
    '%1: %2 of %3 spent. %4',
    title,
    spent.text,
    amount.text,
    next
  );
}

/** What happens next, in few words: toasts cut what is longer than 140 characters. */
export function nextText(trans: TranslationBundle, budget: Budget): string {
  const { endpoints, level, set_by, stop } = budget;
  if (stop === 'soft') {
    return trans.__('It only warns: nothing is stopped.');
  }
  if (level >= SPENT) {
    return endpoints === 'keep'
      ? trans.__(
          'Nothing more starts; workspaces and runs end soon. Ask %1 to raise it.',
          set_by
        )
      : trans.__(
          'Nothing more starts, and all that runs ends soon. Ask %1 to raise it.',
          set_by
        );
  }
  return endpoints === 'keep'
    ? trans.__(
        'At 100 % nothing starts; workspaces and runs end, endpoints and apps go on.'
      )
    : trans.__('At 100 % nothing starts, and all that runs ends.');
}

/** The month to date, against the tightest budget where there is one. */
export function monthText(trans: TranslationBundle, spend: Spend): string {
  const total = spend.total.text;
  const [tightest] = spend.budgets;
  if (tightest === undefined) {
    return trans.__('%1 this month', total);
  }
  const { amount, name, scope, spent } = tightest;
  // Only a budget of one's own is about the same money.
  return scope === 'user'
    ? trans.__('%1 of %2 this month', total, amount.text)
    : trans.__(
        '%1 this month · %2: %3 of %4',
        total,
        name,
        spent.text,
        amount.text
      );
}
