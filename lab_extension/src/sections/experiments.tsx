/** Experiments: tracked runs, as MLflow recorded them, newest first. */
import * as React from 'react';
import { countText } from '../api/pages';
import type { TrackedRun } from '../api/types';
import { IconButton, TextButton } from '../components/Button';
import { Empty } from '../components/Empty';
import { notebookIcon } from '../components/icons';
import { StatusWord } from '../components/Badge';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Row, RowList } from '../components/Rows';
import { RunLink } from '../components/RunLink';
import { Section } from '../components/Section';
import { openRegister } from '../dialogs/register';
import { numberText } from '../format';
import { usePollState } from '../hooks';
import { useHubyard } from '../hubyard';
import { mainMetrics } from '../metrics';
import { trackedStatus } from '../status';
import { useOpenNotebook } from './notebook';

const METRICS = 3;
const FIRST_RUN = `from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)
LogisticRegression(max_iter=200).fit(X, y)`;

export function Experiments(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const { data, loading } = usePollState(polls.trackedRuns);
  return (
    <Section
      id="experiments"
      title={trans.__('Experiments')}
      polls={[polls.trackedRuns]}
      badge={data && countText(data)}
    >
      <Loaded poll={polls.trackedRuns}>
        {({ runs, next_page }) =>
          runs.length === 0 ? (
            <Empty
              text={trans.__(
                'Each model that you train in a notebook is recorded here, with no line added. Run this in a cell to see it.'
              )}
              snippet={{ label: trans.__('A first run'), code: FIRST_RUN }}
            />
          ) : (
            <RowList
              label={trans.__('Tracked runs')}
              items={runs}
              older={
                next_page == null
                  ? null
                  : { loading, ask: () => void polls.olderTrackedRuns() }
              }
            >
              {run => <TrackedRunRow key={run.id} run={run} />}
            </RowList>
          )
        }
      </Loaded>
    </Section>
  );
}

function TrackedRunRow({
  run
}: {
  readonly run: TrackedRun;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const status = trackedStatus(run.status);
  return (
    <Row
      id={run.id}
      status={status}
      name={run.name}
      title={
        <a href={run.url} target="_blank" rel="noopener noreferrer">
          {run.name}
        </a>
      }
      facts={[
        <StatusWord key="status" status={status} />,
        ...mainMetrics(run.metrics, METRICS).map(([name, value]) => (
          <span key={name} title={trans.__('%1: %2', name, String(value))}>
            {name} <b>{numberText(value)}</b>
          </span>
        )),
        run.cost && (
          <span key="cost" title={trans.__('Of its compute, while it ran')}>
            {run.cost.text}
          </span>
        ),
        run.warnings.length > 0 && (
          <span key="warned" title={run.warnings.join('\n')}>
            {trans.__('MLflow warns')}
          </span>
        ),
        <Moment key="at" at={run.started_at} />,
        run.run && (
          <RunLink key="run" run={run.run}>
            {trans.__('Its run')}
          </RunLink>
        )
      ]}
      actions={<Actions run={run} />}
    />
  );
}

function Actions({ run }: { readonly run: TrackedRun }): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const openNotebook = useOpenNotebook();
  return (
    <>
      {run.has_model && (
        <TextButton
          testId="hy-register"
          label={trans.__('Register the model of %1', run.name)}
          onClick={() => void openRegister(hubyard, run)}
        >
          {trans.__('Register')}
        </TextButton>
      )}
      {run.notebook != null && (
        <IconButton
          icon={notebookIcon}
          label={trans.__('Open notebook')}
          testId="hy-open-notebook"
          onClick={() => {
            openNotebook(run);
          }}
        />
      )}
    </>
  );
}
