/** Spend: what this month has cost so far, what costs now, and where it went. */
import * as React from 'react';
import type { Kind, Spend as SpendOf, SpendLine } from '../api/types';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Empty } from '../components/Empty';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Row, RowList } from '../components/Rows';
import { Section } from '../components/Section';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';

const KINDS: readonly Kind[] = ['workspace', 'run', 'endpoint', 'app'];

export function Spend(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const total = usePollState(polls.spend).data?.total.text;
  return (
    <Section
      id="spend"
      title={trans.__('Spend')}
      polls={[polls.spend]}
      badge={total}
    >
      <Loaded poll={polls.spend}>{spend => <Summary spend={spend} />}</Loaded>
    </Section>
  );
}

function Summary({ spend }: { readonly spend: SpendOf }): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <>
      <dl className="hy-Sums">
        <div className="hy-mod-lead">
          <dt>{trans.__('This month')}</dt>
          <dd data-testid="hy-spend-total">{spend.total.text}</dd>
        </div>
        <div className="hy-mod-lead">
          <dt>{trans.__('An hour, now')}</dt>
          <dd data-testid="hy-spend-per-hour">{spend.per_hour.text}</dd>
        </div>
        {KINDS.map(kind => {
          const money = spend.by_kind[kind];
          return money === undefined ? null : (
            <div key={kind} data-kind={kind}>
              <dt>{kindText(trans, kind)}</dt>
              <dd>{money.text}</dd>
            </div>
          );
        })}
      </dl>
      {spend.lines.length === 0 ? (
        <Empty
          text={trans.__('What your workloads cost stands here, line by line.')}
        />
      ) : (
        <RowList label={trans.__('Recent workloads')} items={spend.lines}>
          {line => <LineRow key={line.entry_id} line={line} />}
        </RowList>
      )}
    </>
  );
}

function LineRow({ line }: { readonly line: SpendLine }): React.JSX.Element {
  const { trans } = useHubyard();
  const name = line.server_name || trans.__('workspace');
  return (
    <Row
      id={line.entry_id}
      name={name}
      facts={[
        line.compute,
        trans.__('%1/h', line.price.text),
        line.ended_at == null ? trans.__('still costs') : line.reason,
        <Moment key="at" at={line.started_at} />
      ]}
      actions={<b className="hy-Amount">{line.cost.text}</b>}
    />
  );
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
