/** Lines of the ledger: what each workload cost this month, and how it ended. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { EndReason, SpendLine } from '../api/types';
import { IconButton } from '../components/Button';
import { usageIcon } from '../components/icons';
import { Moment } from '../components/Moment';
import { Row, RowList } from '../components/Rows';
import { UsageOf } from '../components/UsageChart';
import { useHubyard } from '../hubyard';

export function Lines(props: {
  readonly lines: readonly SpendLine[];
}): React.JSX.Element {
  const { trans } = useHubyard();
  return (
    <div className="hy-Group hy-mod-quiet" data-testid="hy-spend-lines">
      <h3>{trans.__('Recent workloads')}</h3>
      <RowList label={trans.__('Recent workloads')} items={props.lines}>
        {line => <LineRow key={line.entry_id} line={line} />}
      </RowList>
    </div>
  );
}

function LineRow({ line }: { readonly line: SpendLine }): React.JSX.Element {
  const { trans } = useHubyard();
  const [open, setOpen] = React.useState(false);
  const { compute, cost, cost_this_month, price, project, unused } = line;
  const running = line.ended_at == null;
  return (
    <Row
      id={line.entry_id}
      name={line.name}
      facts={[
        compute,
        trans.__('%1/h', price.text),
        running ? trans.__('still costs') : reasonText(trans, line.reason),
        project,
        cost.micros > cost_this_month.micros
          ? trans.__('%1 in all', cost.text)
          : null,
        unused.micros > 0 ? trans.__('%1 unused', unused.text) : null,
        <Moment key="at" at={line.started_at} />
      ]}
      actions={
        <>
          <Amount line={line} />
          <IconButton
            icon={usageIcon}
            label={trans.__('Usage of %1', line.name)}
            testId="hy-usage-button"
            expanded={open}
            onClick={() => {
              setOpen(!open);
            }}
          />
        </>
      }
    >
      {open && <UsageOf entry={line.entry_id} running={running} />}
    </Row>
  );
}

/** What it cost; where nobody saw its end, that is not exact. */
function Amount({ line }: { readonly line: SpendLine }): React.JSX.Element {
  const { trans } = useHubyard();
  const { text } = line.cost_this_month;
  if (line.exact) {
    return <b className="hy-Amount">{text}</b>;
  }
  const why = trans.__(
    'Nobody saw its end: it is counted to the last moment that it was known to run.'
  );
  return (
    <b className="hy-Amount" title={why}>
      {trans.__('about %1', text)}
      <span className="hy-sr">{why}</span>
    </b>
  );
}

/** Why it ended, in words. */
function reasonText(
  trans: TranslationBundle,
  reason: EndReason | null
): string {
  switch (reason) {
    case 'stopped':
      return trans.__('stopped');
    case 'lifetime':
      return trans.__('its lifetime was over');
    case 'idle':
      return trans.__('nothing happened in it');
    case 'budget':
      return trans.__('the budget was spent');
    case 'killed':
      return trans.__('killed from outside');
    case 'out-of-memory':
      return trans.__('out of memory');
    case 'start-failed':
      return trans.__('did not start');
    case 'lost':
      return trans.__('lost');
    case 'exited':
    case null:
      return trans.__('ended by itself');
  }
}
