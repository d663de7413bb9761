/** The status item: compute, price, time left and what the month has cost so far. */
import { ReactWidget } from '@jupyterlab/apputils';
import { TextItem } from '@jupyterlab/statusbar';
import * as React from 'react';
import type { Workload } from './api/types';
import { durationText, secondsBetween } from './format';
import { usePageSeen, usePollState, useStaleSince } from './hooks';
import {
  CommandIDs,
  HubyardContext,
  type IHubyard,
  useHubyard
} from './hubyard';
import { staleText } from './status';
import { warn } from './toast';

const CALM_MS = 60_000;
const WARN_S = 15 * 60;

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
  const workspace = usePollState(polls.workspace).data;
  const spend = usePollState(polls.spend).data;
  const since = useStaleSince([polls.workspace, polls.spend]);
  const left = useSecondsLeft(workspace);
  useWarning(left);
  if (workspace === null && spend === null) {
    return null;
  }
  const parts = [
    workspace?.compute,
    workspace && trans.__('%1/h', workspace.price.text),
    left === null ? null : trans.__('%1 left', durationText(left)),
    spend && trans.__('%1 this month', spend.total.text),
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

/** Seconds until the workspace ends, in steps of a minute; null without an end. */
function useSecondsLeft(workspace: Workload | null): number | null {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = setInterval(() => {
      setNow(Date.now());
    }, CALM_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  if (workspace === null) {
    return null;
  }
  const moment = new Date(now).toISOString();
  const seconds = secondsBetween(moment, workspace.deadline);
  return seconds > 60 ? seconds - (seconds % 60) : seconds;
}

/** Warn once when the workspace is about to end. */
function useWarning(left: number | null): void {
  const { trans } = useHubyard();
  const late = left !== null && left <= WARN_S;
  React.useEffect(() => {
    if (late) {
      warn(
        trans.__('This workspace ends in less than 15 minutes: save your work.')
      );
    }
  }, [late, trans]);
}
