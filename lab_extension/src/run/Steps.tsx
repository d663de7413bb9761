/** The step runs of a run: each beside its bar on the run's time axis. */
import * as React from 'react';
import type { CellRecord, RunDetail, StepRecord } from '../api/types';
import { StatusIcon, StatusWord } from '../components/Badge';
import { percent } from '../components/Bars';
import { TextButton } from '../components/Button';
import { Facts, Reason, RowList } from '../components/Rows';
import { durationText } from '../format';
import { useNow } from '../hooks';
import { CommandIDs, useHubyard } from '../hubyard';
import { useOpenExecuted } from '../sections/notebook';
import { isActive } from '../status';
import { resume } from './acts';
import { isOver } from './stages';
import { axisOf, type IAxis, spanOf, ticksOf, tickOf } from './timeline';
import { itemText, tookText, usageTexts } from './words';

const FIRST = 50;
/** A tick has room for its time up to this share of the axis. */
const LAST_TICK = 0.8;

interface IProps {
  readonly run: RunDetail;
  /** The key of the step run that was asked for last. */
  readonly chosen: IChosen | null;
}

/** Asking for the same one again is asking anew. */
export interface IChosen {
  readonly key: string;
}

export function Steps({ run, chosen }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const now = useNow(isActive(run.status));
  const axis = axisOf(run, now);
  const { steps } = run;
  const at = steps.findIndex(each => each.key === chosen?.key);
  // What is asked for is always among what is shown.
  const first = Math.max(FIRST, at + 1);
  return (
    <div className="hy-Steps" data-testid="hy-steps">
      {axis !== null && steps.length > 1 && <Axis axis={axis} />}
      <RowList
        key={first}
        label={trans.__('Steps')}
        items={steps}
        first={first}
      >
        {step => (
          <StepRow
            key={step.key}
            run={run}
            step={step}
            axis={axis}
            now={now}
            chosen={step.key === chosen?.key ? chosen : null}
          />
        )}
      </RowList>
    </div>
  );
}

/** The times that the bars are read by. */
function Axis({ axis }: { readonly axis: IAxis }): React.JSX.Element {
  const whole = (axis.until - axis.from) / 1000;
  return (
    <div className="hy-Step hy-Axis" aria-hidden>
      <span />
      <span className="hy-Axis-ticks">
        {ticksOf(axis)
          .filter(seconds => seconds / whole <= LAST_TICK)
          .map(seconds => (
            <i
              key={seconds}
              style={{ insetInlineStart: percent(seconds / whole) }}
            >
              {durationText(seconds)}
            </i>
          ))}
      </span>
      <span />
    </div>
  );
}

interface IStepProps extends IProps {
  readonly step: StepRecord;
  readonly axis: IAxis | null;
  readonly now: number;
}

function StepRow(props: IStepProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { axis, chosen, now, run, step } = props;
  const row = React.useRef<HTMLLIElement>(null);
  React.useEffect(() => {
    if (chosen !== null) {
      row.current?.scrollIntoView({ block: 'nearest' });
      row.current?.focus();
    }
  }, [chosen]);
  const seconds = secondsOf(step, now);
  const item = itemText(step);
  return (
    <li
      ref={row}
      className="hy-Row hy-Step"
      tabIndex={-1}
      data-testid="hy-step"
      data-id={step.key}
      data-status={step.status}
    >
      <div className="hy-Step-name">
        <StatusIcon status={step.status} />
        <span title={item === null ? step.key : `${step.key} ${item}`}>
          {step.key}
          {item !== null && <small> {item}</small>}
        </span>
        {step.reused && (
          <span className="hy-Alias" data-testid="hy-reused">
            {trans.__('reused')}
          </span>
        )}
      </div>
      {axis !== null && run.steps.length > 1 && (
        <Bar axis={axis} step={step} now={now} />
      )}
      <div className="hy-Step-more">
        <Facts
          facts={[
            <StatusWord key="status" status={step.status} />,
            seconds === null ? null : tookText(seconds),
            ...usageTexts(trans, step)
          ]}
        />
        <Cells cells={step.cells} now={now} />
        {run.steps.length > 1 && (
          <Reason
            reason={step.failure?.message}
            log={step.failure?.traceback}
          />
        )}
      </div>
      <Actions run={run} step={step} />
    </li>
  );
}

function secondsOf(
  { started_at, ended_at }: Pick<StepRecord, 'started_at' | 'ended_at'>,
  now: number
): number | null {
  if (started_at == null) {
    return null;
  }
  const until = ended_at == null ? now : Date.parse(ended_at);
  return Math.max(0, until - Date.parse(started_at)) / 1000;
}

function Bar(props: {
  readonly axis: IAxis;
  readonly step: StepRecord;
  readonly now: number;
}): React.JSX.Element {
  const { axis, now, step } = props;
  const span = spanOf(axis, step, now);
  const whole = (axis.until - axis.from) / 1000;
  const grid = { backgroundSize: `${percent(tickOf(axis) / whole)} 100%` };
  return (
    <span className="hy-Track" aria-hidden style={grid}>
      {span !== null && (
        <i
          data-testid="hy-bar"
          data-status={step.status}
          style={{
            insetInlineStart: percent(span.start),
            inlineSize: percent(span.length)
          }}
        />
      )}
    </span>
  );
}

function Cells(props: {
  readonly cells: readonly CellRecord[];
  readonly now: number;
}): React.JSX.Element | null {
  const { trans } = useHubyard();
  const { cells, now } = props;
  if (cells.length === 0) {
    return null;
  }
  const done = cells.filter(each => each.status === 'succeeded').length;
  return (
    <details className="hy-Cells">
      <summary>{trans.__('%1 of %2 cells done', done, cells.length)}</summary>
      <ol aria-label={trans.__('Cells')}>
        {cells.map((cell, index) => {
          const seconds = secondsOf(cell, now);
          return (
            <li key={cell.index}>
              <StatusIcon status={cell.status} />
              <span>{trans.__('Cell %1', index + 1)}</span>
              <StatusWord status={cell.status} />
              <span>{seconds === null ? '' : tookText(seconds)}</span>
            </li>
          );
        })}
      </ol>
    </details>
  );
}

function Actions(props: {
  readonly run: RunDetail;
  readonly step: StepRecord;
}): React.JSX.Element {
  const hubyard = useHubyard();
  const { commands, trans } = hubyard;
  const { run, step } = props;
  const openExecuted = useOpenExecuted();
  const several = run.steps.length > 1;
  const ran = isOver(step) && step.started_at != null;
  return (
    <div className="hy-Step-actions">
      {run.has_notebook && ran && (
        <TextButton
          testId="hy-step-notebook"
          label={trans.__('Executed notebook of %1', step.key)}
          onClick={() => {
            openExecuted({ run, step });
          }}
        >
          {trans.__('Notebook')}
        </TextButton>
      )}
      {run.has_report && ran && (
        <TextButton
          testId="hy-step-report"
          label={trans.__('Report of %1', step.key)}
          onClick={() =>
            void commands.execute(CommandIDs.openReport, {
              run: run.id,
              step: step.key,
              name: several ? `${run.name}: ${step.key}` : run.name
            })
          }
        >
          {trans.__('Report')}
        </TextButton>
      )}
      {several && !isActive(run.status) && (
        <TextButton
          testId="hy-run-from"
          label={trans.__('Run from here: %1', step.step)}
          title={trans.__('Run this step and all that follows it again')}
          onClick={() => void resume(hubyard, run, step.step)}
        >
          {trans.__('Run from here')}
        </TextButton>
      )}
    </div>
  );
}
