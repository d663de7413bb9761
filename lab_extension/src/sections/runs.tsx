/** Runs: executions of notebooks, how far they are and how they ended. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Run } from '../api/types';
import { Alert } from '../components/Alert';
import { StatusWord } from '../components/Badge';
import { IconButton, TextButton } from '../components/Button';
import { haltIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Reason, Row, RowList } from '../components/Rows';
import { durationText, secondsBetween } from '../format';
import { useAnswer } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { isActive } from '../status';
import { act } from './acts';
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
  const running = status === 'running';
  const seconds =
    started_at == null ? null : secondsBetween(started_at, ended_at);
  return (
    <Row
      id={run.id}
      status={status}
      name={run.name}
      title={
        run.url != null && running ? (
          <a href={run.url} target="_blank" rel="noopener noreferrer">
            {run.name}
          </a>
        ) : undefined
      }
      facts={[
        <StatusWord key="status" status={status} />,
        running ? <Progress key="cells" run={run} /> : null,
        seconds === null ? null : durationText(seconds),
        costText(trans, run),
        <Moment key="at" at={run.created_at} />
      ]}
      actions={<Actions run={run} />}
    >
      <Reason
        reason={run.failure?.message}
        log={status === 'failed' ? run.failure?.traceback : null}
      />
      {status === 'failed' && <RunLog run={run} />}
    </Row>
  );
}

function costText(
  trans: TranslationBundle,
  { cost, status }: Run
): string | null {
  if (cost === null) {
    return null;
  }
  return isActive(status) ? trans.__('%1 so far', cost.text) : cost.text;
}

/** What a failed run's process has printed; asked for when it is unfolded. */
function RunLog({ run }: { readonly run: Run }): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [open, setOpen] = React.useState(false);
  const ask = () => client.runLog(run.id);
  const { data, error } = useAnswer(open ? run.id : null, ask);
  return (
    <details
      className="hy-Reason"
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{trans.__('Log')}</summary>
      {error !== null && <Alert message={error} />}
      {data === '' && <p>{trans.__('It has printed nothing.')}</p>}
      {data !== null && data !== '' && (
        <pre tabIndex={0} data-testid="hy-run-log">
          {data}
        </pre>
      )}
    </details>
  );
}

/** Which cell runs, of how many. */
function Progress({ run }: { readonly run: Run }): React.JSX.Element {
  const { trans } = useHubyard();
  const { cells_done, cells_total } = run;
  const cell = Math.min(cells_done + 1, cells_total);
  return (
    <span data-testid="hy-cells" aria-live="polite">
      {trans.__('cell %1 of %2', cell, cells_total)}
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
            openExecuted(run);
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

function stop(hubyard: IHubyard, { id, name, price }: Run): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Stop %1?', name),
      text: trans.__(
        'The run %1 ends where it is, and its %2 an hour end.',
        name,
        price.text
      ),
      confirm: trans.__('Stop'),
      destroys: true
    },
    job: () => client.stopRun(id),
    pending: trans.__('Stopping %1…', name),
    success: trans.__('%1 is stopping.', name),
    poll: polls.runs
  });
}
