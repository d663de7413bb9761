/** Pipelines: their files, their schedules, and the runs of them and of notebooks. */
import * as React from 'react';
import { Section } from '../components/Section';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';
import { NoticeList } from './notices';
import { PipelineFiles } from './pipelineFiles';
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
      polls={[polls.schedules, polls.runs, polls.pipelines]}
      badge={count}
    >
      <NoticeList />
      <PipelineFiles />
      <Schedules />
      <Runs />
    </Section>
  );
}
