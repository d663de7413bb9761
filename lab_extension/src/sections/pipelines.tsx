/** Pipelines: schedules and the runs of notebooks. */
import * as React from 'react';
import { Section } from '../components/Section';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';
import { NoticeList } from './notices';
import { Runs } from './runs';
import { Schedules } from './schedules';

export function Pipelines(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const schedules = usePollState(polls.schedules).data;
  const runs = usePollState(polls.runs).data;
  const count = schedules && runs ? schedules.length + runs.length : null;
  return (
    <Section
      id="pipelines"
      title={trans.__('Pipelines')}
      polls={[polls.schedules, polls.runs]}
      badge={count}
    >
      <NoticeList />
      <Schedules />
      <Runs />
    </Section>
  );
}
