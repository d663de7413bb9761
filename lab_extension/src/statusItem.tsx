/** The status item: compute, price, time left and what the month has cost so far. */
import { ReactWidget } from '@jupyterlab/apputils';
import { TextItem } from '@jupyterlab/statusbar';
import * as React from 'react';
import { monthText } from './budgets';
import { endOf, leftText } from './ending';
import { usePageSeen, usePollState, useStaleSince } from './hooks';
import {
  CommandIDs,
  HubyardContext,
  type IHubyard,
  useHubyard
} from './hubyard';
import { staleText } from './status';

const CALM_MS = 60_000;

export class StatusItem extends ReactWidget {
  constructor(private readonly hubyard: IHubyard) {
    super();
    this.addClass('hy-StatusItem');
    this.addClass('jp-mod-highlighted');
  }

  protected override render(): React.JSX.Element {
    return (
      <HubyardContext.Provider value={this.hubyard}>
        <Item />
      </HubyardContext.Provider>
    );
  }
}

function Item(): React.JSX.Element | null {
  const { polls, trans, commands } = useHubyard();
  const seen = usePageSeen();
  React.useEffect(() => {
    if (!seen) {
      return undefined;
    }
    const ends = [polls.workspace.watch(CALM_MS), polls.spend.watch(CALM_MS)];
    return () => {
      ends.forEach(end => {
        end();
      });
    };
  }, [polls, seen]);
  const state = usePollState(polls.workspace);
  const spend = usePollState(polls.spend).data;
  const since = useStaleSince([polls.workspace, polls.spend]);
  const workspace = state.data;
  const end = endOf(state, useNow());
  if (workspace === null && spend === null) {
    return null;
  }
  const parts = [
    workspace?.compute,
    workspace && trans.__('%1/h', workspace.price.text),
    end && leftText(trans, end),
    spend && monthText(trans, spend),
    since === null ? null : trans.__('stale')
  ].filter(Boolean);
  const open = () =>
    void commands.execute(CommandIDs.open, { section: 'spend' });
  return (
    <TextItem
      role="button"
      tabIndex={0}
      data-testid="hy-status-price"
      source={parts.join(' · ')}
      title={
        since === null
          ? trans.__(
              'Compute, price and time left of this workspace; show spend'
            )
          : staleText(trans, since)
      }
      onClick={open}
      onKeyDown={event => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          open();
        }
      }}
    />
  );
}

/** The moment, in steps of a minute. */
function useNow(): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, CALM_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}
