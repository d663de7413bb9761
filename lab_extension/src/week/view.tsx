/** The view of a week: on each of its days, what ran and what comes due. */
import * as React from 'react';
import type { CalendarDay, Coming, Past } from '../api/types';
import { StatusIcon, StatusWord } from '../components/Badge';
import { IconButton, TextButton } from '../components/Button';
import { caretIcon, weekIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Facts } from '../components/Rows';
import {
  daysText,
  durationText,
  secondsBetween,
  timesText,
  weekdayText
} from '../format';
import { usePollState } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { runStatus, statusText } from '../status';
import { View } from '../view';
import { firstOfWeek, lastOfWeek } from './days';

export class WeekView extends View {
  constructor(hubyard: IHubyard) {
    super(hubyard, {
      className: 'hy-WeekView',
      testId: 'hy-week-view',
      icon: weekIcon,
      label: hubyard.trans.__('Week')
    });
  }

  protected override content(): React.JSX.Element {
    return <Week />;
  }
}

function Week(): React.JSX.Element {
  const { polls } = useHubyard();
  const [offset, setOffset] = React.useState(0);
  const poll = React.useMemo(() => polls.ofWeek(offset), [offset, polls]);
  const first = usePollState(poll).data?.days[0]?.day ?? firstOfWeek(offset);
  return (
    <>
      <Head first={first} offset={offset} onMove={setOffset} />
      <Loaded poll={poll}>
        {({ days }) => (
          <ol className="hy-Week">
            {days.map(each => (
              <Day key={each.day} day={each} />
            ))}
          </ol>
        )}
      </Loaded>
    </>
  );
}

function Head(props: {
  readonly first: string;
  readonly offset: number;
  readonly onMove: (offset: number) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { first, offset, onMove } = props;
  return (
    <header className="hy-WeekHead">
      <h2 aria-live="polite">{daysText(first, lastOfWeek(first))}</h2>
      <span className="hy-WeekHead-moves">
        <span className="hy-mod-back">
          <IconButton
            icon={caretIcon}
            label={trans.__('Previous week')}
            testId="hy-previous-week"
            onClick={() => {
              onMove(offset - 1);
            }}
          />
        </span>
        <TextButton
          testId="hy-this-week"
          onClick={() => {
            onMove(0);
          }}
        >
          {trans.__('This week')}
        </TextButton>
        <IconButton
          icon={caretIcon}
          label={trans.__('Next week')}
          testId="hy-next-week"
          onClick={() => {
            onMove(offset + 1);
          }}
        />
      </span>
    </header>
  );
}

function Day(props: { readonly day: CalendarDay }): React.JSX.Element {
  const { trans } = useHubyard();
  const { coming, cut, day, past, today } = props.day;
  const name = weekdayText(day);
  return (
    <li
      className="hy-Day"
      data-testid="hy-day"
      aria-current={today ? 'date' : undefined}
    >
      <h3>
        <time dateTime={day}>{name}</time>
        {today && <span className="hy-Alias">{trans.__('Today')}</span>}
      </h3>
      {past.length + coming.length > 0 && (
        <ul aria-label={name}>
          {past.map(each => (
            <PastEntry key={each.run_id} entry={each} />
          ))}
          {coming.map(each => (
            <ComingEntry key={each.schedule_id + each.at} entry={each} />
          ))}
        </ul>
      )}
      {cut && <p className="hy-Help">{trans.__('There are more of them.')}</p>}
    </li>
  );
}

function PastEntry({ entry }: { readonly entry: Past }): React.JSX.Element {
  const { commands, trans } = useHubyard();
  const { at, cost, count, ended_at, last_at, name, run_id, started_at } =
    entry;
  const status = runStatus(entry.status);
  const facts =
    count > 1
      ? [trans.__('%1: %2', statusText(trans, status), count)]
      : [
          <StatusWord key="status" status={status} />,
          started_at == null || ended_at == null
            ? null
            : durationText(secondsBetween(started_at, ended_at)),
          cost?.text
        ];
  return (
    <Entry
      status={status}
      name={name}
      facts={[timesText(at, last_at), ...facts]}
      onOpen={() =>
        void commands.execute(CommandIDs.openRun, { run: run_id, name })
      }
    />
  );
}

function ComingEntry({ entry }: { readonly entry: Coming }): React.JSX.Element {
  const { commands, trans } = useHubyard();
  const { at, count, last_at, name, schedule_id, text } = entry;
  return (
    <Entry
      status="due"
      name={name}
      facts={[
        timesText(at, last_at),
        count > 1 ? (
          trans.__('%1: %2', text, count)
        ) : (
          <StatusWord key="status" status="due" />
        )
      ]}
      onOpen={() =>
        void commands.execute(CommandIDs.open, {
          section: 'pipelines',
          row: schedule_id
        })
      }
    />
  );
}

function Entry(props: {
  readonly status: string;
  readonly name: string;
  readonly facts: readonly React.ReactNode[];
  readonly onOpen: () => void;
}): React.JSX.Element {
  const { facts, name, onOpen, status } = props;
  return (
    <li className="hy-Entry" data-testid="hy-entry" data-status={status}>
      <StatusIcon status={status} />
      <div>
        <button
          type="button"
          className="hy-LinkButton"
          title={name}
          onClick={onOpen}
        >
          {name}
        </button>
        <Facts facts={facts} />
      </div>
    </li>
  );
}
