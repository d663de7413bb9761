/** The last runs of one file: how long each took, and what it cost. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Run } from '../api/types';
import { Bars, type IBar } from '../components/Bars';
import { momentText, secondsBetween } from '../format';
import { useHubyard } from '../hubyard';
import { runStatus, statusText } from '../status';
import { costText, tookText } from './words';

const SHOWN = 10;

export function History(props: {
  readonly id: string;
  readonly runs: readonly Run[];
}): React.JSX.Element {
  const { trans } = useHubyard();
  const bars = barsOf(trans, props.runs.slice(0, SHOWN), props.id);
  return <Bars title={trans.__('Last runs')} bars={bars} testId="hy-history" />;
}

/** The longest one fills its line: the others are measured by it. */
function barsOf(
  trans: TranslationBundle,
  runs: readonly Run[],
  id: string
): IBar[] {
  const longest = Math.max(1, ...runs.map(secondsOf));
  return runs.map(run => ({
    key: run.id,
    name: momentText(run.created_at),
    note: [
      statusText(trans, runStatus(run.status)),
      ...(run.id === id ? [trans.__('this run')] : [])
    ].join(' · '),
    amount: [
      run.started_at == null ? null : tookText(secondsOf(run)),
      costText(trans, run)
    ]
      .filter(text => text !== null)
      .join(' · '),
    share: secondsOf(run) / longest
  }));
}

function secondsOf({ started_at, ended_at }: Run): number {
  return started_at == null ? 0 : secondsBetween(started_at, ended_at);
}
