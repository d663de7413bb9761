/** A budget: how much of it is spent and reserved, as a bar and in words. */
import * as React from 'react';
import type { Budget } from '../api/types';
import { budgetTitle, levelText, nextText } from '../budgets';
import { useHubyard } from '../hubyard';
import { percent } from './Bars';
import { failedIcon, succeededIcon, warningIcon } from './icons';
import { Facts } from './Rows';

const SPENT = 100;

export function BudgetMeter(props: {
  readonly budget: Budget;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { budget } = props;
  const { amount, left, level, reserved, spent } = budget;
  const id = React.useId();
  const says = trans.__('%1 of %2 spent', spent.text, amount.text);
  return (
    <li
      className="hy-Budget"
      data-testid="hy-budget"
      data-level={level}
      title={nextText(trans, budget)}
    >
      <div className="hy-Row-head">
        <span className="hy-Row-name" id={id}>
          {budgetTitle(trans, budget)}
        </span>
        <Level budget={budget} />
      </div>
      <div
        role="meter"
        className="hy-Meter"
        aria-labelledby={id}
        aria-valuemin={0}
        aria-valuemax={SPENT}
        aria-valuenow={Math.min(budget.percent, SPENT)}
        aria-valuetext={says}
      >
        <i
          className="hy-mod-spent"
          style={{ inlineSize: ratio(spent, amount) }}
        />
        <i
          className="hy-mod-reserved"
          style={{ inlineSize: ratio(reserved, amount) }}
        />
      </div>
      <Facts
        facts={[
          <span key="spent" data-testid="hy-budget-spent">
            {says}
          </span>,
          reserved.micros > 0 ? trans.__('%1 reserved', reserved.text) : null,
          trans.__('%1 left', left.text),
          level >= 80 ? nextText(trans, budget) : null
        ]}
      />
    </li>
  );
}

/** The level as icon and word, for it must not hang on a colour. */
function Level({ budget }: { readonly budget: Budget }): React.JSX.Element {
  const { trans } = useHubyard();
  const { level } = budget;
  const [icon, tone] =
    level >= SPENT
      ? [failedIcon, 'bad']
      : level > 0
        ? [warningIcon, 'warn']
        : [succeededIcon, 'good'];
  return (
    <span className="hy-Level">
      <icon.react
        tag="span"
        className={`hy-Icon hy-Tone hy-mod-${tone}`}
        aria-hidden
      />
      {levelText(trans, budget)}
    </span>
  );
}

function ratio(
  part: { readonly micros: number },
  whole: { readonly micros: number }
): string {
  return percent(whole.micros === 0 ? 1 : part.micros / whole.micros);
}
