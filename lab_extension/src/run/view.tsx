/** The view of one run: how far it is, its steps, its history, another run beside it. */
import type { Contents } from '@jupyterlab/services';
import * as React from 'react';
import type { Poll } from '../api/poll';
import type { RunDetail } from '../api/types';
import { StatusIcon, StatusWord } from '../components/Badge';
import { TextButton } from '../components/Button';
import { runIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Moment } from '../components/Moment';
import { Facts, Reason } from '../components/Rows';
import { RunLink } from '../components/RunLink';
import { durationText, secondsBetween } from '../format';
import { useNow, usePoll } from '../hooks';
import { type IHubyard, useHubyard } from '../hubyard';
import { ContentsContext, useOpenExecuted } from '../sections/notebook';
import { isActive, runStatus } from '../status';
import { View } from '../view';
import { resume, stop } from './acts';
import { Compare } from './Compare';
import { Graph } from './Graph';
import { History } from './History';
import { RunLog } from './Log';
import { type IChosen, Steps } from './Steps';
import { tellingOf } from './stages';
import { costText, progressText, reasonText } from './words';

export class RunView extends View {
  constructor(
    hubyard: IHubyard,
    private readonly contents: Contents.IManager,
    readonly run: string
  ) {
    super(hubyard, {
      className: 'hy-RunView',
      testId: 'hy-run-view',
      icon: runIcon,
      label: hubyard.trans.__('Run')
    });
    this.poll = hubyard.polls.ofRun(run);
  }

  protected override content(): React.JSX.Element {
    return (
      <ContentsContext.Provider value={this.contents}>
        <Loaded poll={this.poll}>{run => <Content run={run} />}</Loaded>
      </ContentsContext.Provider>
    );
  }

  private readonly poll: Poll<RunDetail>;
}

interface IProps {
  readonly run: RunDetail;
}

function Content({ run }: IProps): React.JSX.Element {
  const { polls } = useHubyard();
  const [chosen, setChosen] = React.useState<IChosen | null>(null);
  const runs = usePoll(polls.runs).data ?? [];
  const siblings = runs
    .filter(each => each.notebook === run.notebook)
    .sort((one, other) => other.created_at.localeCompare(one.created_at));
  const others = siblings.filter(each => each.id !== run.id);
  return (
    <>
      <Head run={run} />
      {run.steps.length > 1 && (
        <Graph
          steps={run.steps}
          onChoose={stage => {
            setChosen({ key: tellingOf(stage).key });
          }}
        />
      )}
      {run.steps.length > 0 && <Steps run={run} chosen={chosen} />}
      {siblings.length > 1 && <History id={run.id} runs={siblings} />}
      {others.length > 0 && <Compare run={run} others={others} />}
    </>
  );
}

function Head({ run }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { compute, created_at, ended_at, failure, price, started_at } = run;
  const active = isActive(run.status);
  const now = useNow(active);
  return (
    <header
      className="hy-RunHead"
      data-testid="hy-run-head"
      data-status={run.status}
    >
      <div className="hy-RunHead-title">
        <StatusIcon status={run.status} />
        <h2 title={run.notebook}>{run.name}</h2>
        <Actions run={run} />
      </div>
      <div aria-live="polite">
        <Facts
          facts={[
            <StatusWord key="status" status={runStatus(run.status)} />,
            run.status === 'running' ? progressText(trans, run) : null
          ]}
        />
      </div>
      <Facts
        facts={[
          run.notebook,
          started_at == null
            ? null
            : durationText(secondsBetween(started_at, ended_at, now)),
          costText(trans, run),
          trans.__('%1 at %2 an hour', compute, price.text),
          <Moment key="at" at={created_at} />
        ]}
      />
      <Given run={run} />
      <Reason reason={reasonText(run)} log={failure?.traceback} />
      <RunLog run={run} />
    </header>
  );
}

/** What it was given: parameters, and steps of earlier runs. */
function Given({ run }: IProps): React.JSX.Element | null {
  const { trans } = useHubyard();
  const { parameters, resumes, steps } = run;
  const given = Object.entries(parameters);
  const reused = steps.filter(each => each.reused).length;
  return (
    <>
      {given.length > 0 && (
        <Facts
          facts={given.map(([name, value]) => (
            <code key={name}>{`${name} = ${JSON.stringify(value)}`}</code>
          ))}
        />
      )}
      {(resumes != null || reused > 0) && (
        <p className="hy-Help" data-testid="hy-resumes">
          {trans._n(
            'It took %1 step over from an earlier run.',
            'It took %1 steps over from an earlier run.',
            reused
          )}{' '}
          {resumes != null && (
            <RunLink run={resumes} name={run.name}>
              {trans.__('Show that run')}
            </RunLink>
          )}
        </p>
      )}
    </>
  );
}

function Actions({ run }: IProps): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const openExecuted = useOpenExecuted();
  const active = isActive(run.status);
  const broken = run.status === 'failed' || run.status === 'stopped';
  return (
    <span className="hy-RunHead-actions">
      {broken && run.failure?.cell != null && run.has_notebook && (
        <TextButton
          testId="hy-failing-cell"
          onClick={() => {
            openExecuted({ run });
          }}
        >
          {trans.__('Failing cell')}
        </TextButton>
      )}
      {broken && (
        <TextButton
          testId="hy-resume-run"
          onClick={() => void resume(hubyard, run)}
        >
          {run.steps_total > 1
            ? trans.__('Re-run from failure')
            : trans.__('Run again')}
        </TextButton>
      )}
      {run.url != null && run.status === 'running' && (
        <a
          className="hy-TextButton"
          href={run.url}
          target="_blank"
          rel="noopener noreferrer"
          data-testid="hy-live-page"
        >
          {trans.__('Live page')}
        </a>
      )}
      {active && (
        <TextButton
          testId="hy-stop-run"
          label={trans.__('Stop %1', run.name)}
          onClick={() => void stop(hubyard, run)}
        >
          {trans.__('Stop')}
        </TextButton>
      )}
    </span>
  );
}
