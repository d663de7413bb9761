/** Schedules: when notebooks run by themselves. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Dropped, Schedule } from '../api/types';
import { StatusWord } from '../components/Badge';
import { IconButton, TextButton } from '../components/Button';
import { Empty } from '../components/Empty';
import {
  editIcon,
  pauseIcon,
  removeIcon,
  resumeIcon,
  startIcon,
  updateIcon
} from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Row, RowList } from '../components/Rows';
import { openEdit } from '../dialogs/edit';
import { dueText } from '../format';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { runStatus, statusText } from '../status';
import { act } from './acts';
import { useSections } from './model';

export function Schedules(): React.JSX.Element {
  const { polls, trans, commands } = useHubyard();
  const { revealed } = useSections();
  return (
    <div className="hy-Group" data-testid="hy-schedules">
      <div className="hy-Group-head">
        <h3>{trans.__('Schedules')}</h3>
        {commands.hasCommand(CommandIDs.openWeek) && (
          <TextButton
            testId="hy-open-week"
            title={commands.caption(CommandIDs.openWeek)}
            onClick={() => void commands.execute(CommandIDs.openWeek)}
          >
            {trans.__('Week')}
          </TextButton>
        )}
      </div>
      <Loaded poll={polls.schedules}>
        {schedules =>
          schedules.length === 0 ? (
            <Empty
              text={trans.__(
                'A schedule runs a notebook or a pipeline on its own compute, also while you are away.'
              )}
              action={{
                label: trans.__('Schedule the open file'),
                run: () => void commands.execute(CommandIDs.schedule)
              }}
            />
          ) : (
            <RowList
              label={trans.__('Schedules')}
              items={schedules}
              asked={schedules.findIndex(each => each.id === revealed)}
            >
              {each => <ScheduleRow key={each.id} schedule={each} />}
            </RowList>
          )
        }
      </Loaded>
    </div>
  );
}

interface IProps {
  readonly schedule: Schedule;
}

function ScheduleRow({ schedule }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { paused, next_fire, last_status, per_run, per_month } = schedule;
  const status = paused ? 'paused' : 'active';
  return (
    <Row
      id={schedule.id}
      status={status}
      name={schedule.name}
      facts={[
        <StatusWord key="status" status={status} />,
        <span
          key="text"
          title={
            schedule.cron
              ? `${schedule.cron} (${schedule.time_zone})`
              : undefined
          }
        >
          {schedule.text}
        </span>,
        schedule.suspended ?? null,
        next_fire != null && !paused
          ? trans.__('next %1', dueText(next_fire, schedule.time_zone))
          : null,
        last_status != null
          ? trans.__('last run %1', statusText(trans, runStatus(last_status)))
          : null,
        droppedText(trans, schedule),
        trans.__('%1 a run', per_run.text),
        per_month != null ? trans.__('%1 a month', per_month.text) : null
      ]}
      actions={<Actions schedule={schedule} />}
    />
  );
}

/** The newest fires that started no run, and why. */
function droppedText(
  trans: TranslationBundle,
  { dropped, time_zone }: Schedule
): string | null {
  const newest = dropped.at(0);
  if (newest === undefined) {
    return null;
  }
  const last = dueText(newest.last_at, time_zone);
  return newest.count === 1
    ? trans.__('no run at %1: %2', last, whyText(trans, newest))
    : trans.__(
        'no run for %1 fires until %2: %3',
        newest.text,
        last,
        whyText(trans, newest)
      );
}

function whyText(trans: TranslationBundle, { why }: Dropped): string {
  switch (why) {
    case 'missed':
      return trans.__('Hubyard was down');
    case 'overlap':
      return trans.__('the last one was still active');
  }
}

function Actions({ schedule }: IProps): React.JSX.Element {
  const hubyard = useHubyard();
  const { commands, trans } = hubyard;
  const { id, name, paused } = schedule;
  return (
    <>
      <IconButton
        icon={startIcon}
        label={trans.__('Run %1 now', name)}
        testId="hy-run-now"
        onClick={() => void runNow(hubyard, schedule)}
      />
      <IconButton
        icon={paused ? resumeIcon : pauseIcon}
        label={
          paused ? trans.__('Resume %1', name) : trans.__('Pause %1', name)
        }
        testId={paused ? 'hy-resume' : 'hy-pause'}
        onClick={() => void pause(hubyard, schedule, !paused)}
      />
      <IconButton
        icon={editIcon}
        label={trans.__('Edit %1', name)}
        testId="hy-edit"
        onClick={() => void openEdit(hubyard, schedule)}
      />
      <IconButton
        icon={updateIcon}
        label={trans.__('Update %1 to my latest notebook', name)}
        testId="hy-update"
        onClick={() => void commands.execute(CommandIDs.updateSchedule, { id })}
      />
      <IconButton
        icon={removeIcon}
        label={trans.__('Delete %1', name)}
        testId="hy-delete"
        onClick={() => void remove(hubyard, schedule)}
      />
    </>
  );
}

function runNow(
  hubyard: IHubyard,
  { id, name, compute, per_run }: Schedule
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Run %1 now?', name),
      text: trans.__('One run on %1 costs about %2.', compute, per_run.text),
      confirm: trans.__('Run now')
    },
    job: () => client.runSchedule(id),
    pending: trans.__('Starting %1…', name),
    success: trans.__('%1 is starting.', name),
    poll: polls.runs
  });
}

function pause(
  hubyard: IHubyard,
  { id, name }: Schedule,
  paused: boolean
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: null,
    job: () => client.changeSchedule(id, { paused }),
    pending: paused
      ? trans.__('Pausing %1…', name)
      : trans.__('Resuming %1…', name),
    success: paused
      ? trans.__('%1 is paused.', name)
      : trans.__('%1 is on schedule again.', name),
    poll: polls.schedules
  });
}

function remove(hubyard: IHubyard, { id, name }: Schedule): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Delete %1?', name),
      text: trans.__(
        'The schedule %1 starts no more runs. Its past runs stay.',
        name
      ),
      confirm: trans.__('Delete'),
      destroys: true
    },
    job: () => client.remove('schedules', id),
    pending: trans.__('Deleting %1…', name),
    success: trans.__('%1 is deleted.', name),
    poll: polls.schedules
  });
}
