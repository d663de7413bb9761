/** Spend: what this month has cost and may come to, what costs now, where it went. */
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Kind, Part, Spend as SpendOf } from '../api/types';
import { Bars, type IBar } from '../components/Bars';
import { BudgetMeter } from '../components/BudgetMeter';
import { DayChart } from '../components/DayChart';
import { Empty } from '../components/Empty';
import { Loaded } from '../components/Loaded';
import { Section } from '../components/Section';
import { dayText } from '../format';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';
import { Lines } from './lines';
import { OwnWorkspace } from './workspace';

const KINDS: readonly Kind[] = ['workspace', 'run', 'endpoint', 'app'];
/** What the platform calls the part that belongs to none. */
const NO_PROJECT = '(no project)';

export function Spend(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const total = usePollState(polls.spend).data?.total.text;
  return (
    <Section
      id="spend"
      title={trans.__('Spend')}
      polls={[polls.spend, polls.workspace]}
      badge={total}
    >
      <Loaded poll={polls.spend}>{spend => <Summary spend={spend} />}</Loaded>
    </Section>
  );
}

interface IProps {
  readonly spend: SpendOf;
}

function Summary({ spend }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <>
      <Sums spend={spend} />
      <OwnWorkspace />
      {spend.budgets.length > 0 && (
        <ul className="hy-Budgets" aria-label={trans.__('Budgets')}>
          {spend.budgets.map(budget => (
            <BudgetMeter
              key={`${budget.scope} ${budget.name}`}
              budget={budget}
            />
          ))}
        </ul>
      )}
      {spend.lines.length === 0 ? (
        <Empty
          text={trans.__('What your workloads cost stands here, line by line.')}
        />
      ) : (
        <Details spend={spend} />
      )}
      <Links />
    </>
  );
}

function Sums({ spend }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const sums = [
    { id: 'total', name: trans.__('This month'), money: spend.total },
    {
      id: 'forecast',
      name: trans.__("By the month's end"),
      money: spend.forecast
    },
    { id: 'per-hour', name: trans.__('An hour, now'), money: spend.per_hour },
    { id: 'unused', name: trans.__('Paid for nothing'), money: spend.unused }
  ];
  return (
    <dl className="hy-Sums">
      {sums.map(({ id, name, money }) => (
        <div key={id}>
          <dt>{name}</dt>
          <dd data-testid={`hy-spend-${id}`}>{money.text}</dd>
        </div>
      ))}
    </dl>
  );
}

function Details({ spend }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { by_compute, by_project, dearest, lines } = spend;
  return (
    <>
      <DayChart spend={spend} />
      <Bars title={trans.__('By kind')} bars={kindBars(trans, spend)} />
      {by_project.length > 1 && (
        <Bars
          title={trans.__('By project')}
          bars={partBars(trans, by_project)}
        />
      )}
      {by_compute.length > 1 && (
        <Bars
          title={trans.__('By compute')}
          bars={partBars(trans, by_compute)}
        />
      )}
      {dearest.length > 1 && (
        <Bars
          title={trans.__('Dearest')}
          bars={dearestBars(dearest)}
          testId="hy-dearest"
        />
      )}
      <Lines lines={lines} />
    </>
  );
}

/** Ways to all of it: a file for a spreadsheet, and the hub's page. */
function Links(): React.JSX.Element {
  const { client, trans } = useHubyard();
  const hub = PageConfig.getOption('hubPrefix');
  const host = PageConfig.getOption('hubHost');
  return (
    <div className="hy-Links">
      <a
        className="hy-TextButton"
        href={client.ledgerUrl()}
        download="hubyard-ledger.csv"
        data-testid="hy-ledger-csv"
      >
        {trans.__('Ledger as CSV')}
      </a>
      {hub !== '' && (
        <a
          className="hy-TextButton"
          href={host + URLExt.join(hub, 'spend')}
          target="_blank"
          rel="noopener noreferrer"
          data-testid="hy-hub-spend"
        >
          {trans.__('Spend on the hub')}
        </a>
      )}
    </div>
  );
}

function kindBars(trans: TranslationBundle, spend: SpendOf): IBar[] {
  return KINDS.flatMap(kind => {
    const money = spend.by_kind[kind];
    if (money === undefined || money.micros === 0) {
      return [];
    }
    const share = money.micros / spend.total.micros;
    const name = kindText(trans, kind);
    return [{ key: kind, name, amount: money.text, share }];
  });
}

function partBars(trans: TranslationBundle, parts: readonly Part[]): IBar[] {
  return parts.map(({ name, cost, share }) => ({
    key: name,
    name: name === NO_PROJECT ? trans.__('no project') : name,
    amount: cost.text,
    share
  }));
}

/** The first one is the dearest: the others are measured by it. */
function dearestBars(lines: SpendOf['dearest']): IBar[] {
  const most = lines[0]?.cost_this_month.micros ?? 0;
  return lines.map(({ entry_id, name, cost_this_month, started_at }) => ({
    key: entry_id,
    name,
    note: dayText(started_at),
    amount: cost_this_month.text,
    share: most === 0 ? 0 : cost_this_month.micros / most
  }));
}

function kindText(trans: TranslationBundle, kind: Kind): string {
  switch (kind) {
    case 'workspace':
      return trans.__('Workspaces');
    case 'run':
      return trans.__('Runs');
    case 'endpoint':
      return trans.__('Endpoints');
    case 'app':
      return trans.__('Apps');
  }
}
