/** Runs: executions of notebooks and pipelines, how far they are and how they ended. */
import * as React from 'react';
import type { Run } from '../api/types';
import { StatusWord } from '../components/Badge';
import { IconButton, TextButton } from '../components/Button';
import { haltIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Reason, Row, RowList } from '../components/Rows';
import { RunLink } from '../components/RunLink';
import { durationText, secondsBetween } from '../format';
import { CommandIDs, useHubyard } from '../hubyard';
import { stop } from '../run/acts';
import { RunLog } from '../run/Log';
import { costText, progressText, reasonText } from '../run/words';
import { isActive, runStatus } from '../status';
import { useOpenExecuted } from './notebook';

export function Runs(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  return (
    <div className="hy-Group" data-testid="hy-runs">
      <h3>{trans.__('Runs')}</h3>
      <Loaded poll={polls.runs}>
        {runs =>
          runs.length === 0 ? (
            <p className="hy-Help hy-Empty">
              {trans.__('Each run keeps its notebook and report here.')}
            </p>
          ) : (
            <RowList label={trans.__('Runs')} items={runs}>
              {run => <RunRow key={run.id} run={run} />}
            </RowList>
          )
        }
      </Loaded>
    </div>
  );
}

function RunRow({ run }: { readonly run: Run }): React.JSX.Element {
  const { trans } = useHubyard();
  const { status, started_at, ended_at } = run;
  const place = status === 'running' ? progressText(trans, run) : null;
  const seconds =
    started_at == null ? null : secondsBetween(started_at, ended_at);
  return (
    <Row
      id={run.id}
      status={status}
      name={run.name}
      title={
        <RunLink run={run.id} name={run.name}>
          {run.name}
        </RunLink>
      }
      facts={[
        <StatusWord key="status" status={runStatus(status)} />,
        place === null ? null : <Progress key="cells">{place}</Progress>,
        seconds === null ? null : durationText(seconds),
        costText(trans, run),
        <Moment key="at" at={run.created_at} />
      ]}
      actions={<Actions run={run} />}
    >
      <Reason
        reason={reasonText(run)}
        log={status === 'failed' ? run.failure?.traceback : null}
      />
      {status === 'failed' && <RunLog run={run} />}
    </Row>
  );
}

/** Which step and cell runs, of how many. */
function Progress(props: { readonly children: string }): React.JSX.Element {
  return (
    <span data-testid="hy-cells" aria-live="polite">
      {props.children}
    </span>
  );
}

function Actions({ run }: { readonly run: Run }): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans, commands } = hubyard;
  const openExecuted = useOpenExecuted();
  return (
    <>
      {run.has_report && (
        <TextButton
          testId="hy-report"
          label={trans.__('Report of %1', run.name)}
          onClick={() =>
            void commands.execute(CommandIDs.openReport, {
              run: run.id,
              name: run.name
            })
          }
        >
          {trans.__('Report')}
        </TextButton>
      )}
      {run.has_notebook && !isActive(run.status) && (
        <TextButton
          testId="hy-executed"
          label={trans.__('Executed notebook of %1', run.name)}
          onClick={() => {
            openExecuted({ run });
          }}
        >
          {trans.__('Notebook')}
        </TextButton>
      )}
      {isActive(run.status) && (
        <IconButton
          icon={haltIcon}
          label={trans.__('Stop %1', run.name)}
          testId="hy-stop"
          onClick={() => void stop(hubyard, run)}
        />
      )}
    </>
  );
}
