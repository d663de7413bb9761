/** Edit a schedule: when it fires, what becomes of its fires, and who is told. */
import * as React from 'react';
import type { Schedule, ScheduleChange } from '../api/types';
import { type Notify, NotifyField } from '../components/NotifyField';
import { PolicyFields } from '../components/PolicyFields';
import { PreviewCard } from '../components/PreviewCard';
import { TimingFields } from '../components/TimingFields';
import { type IHubyard, useHubyard } from '../hubyard';
import { tell } from '../toast';
import { openForm, useSubmit } from './form';
import { usePreview } from './schedule';

export function openEdit(hubyard: IHubyard, schedule: Schedule): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Edit %1', schedule.name),
    confirm: trans.__('Save'),
    name: 'edit',
    focus: 'select',
    wide: true,
    body: <EditForm schedule={schedule} />
  });
}

/** Of one that a trigger wakes, its time stays as it is. */
function EditForm(props: { readonly schedule: Schedule }): React.JSX.Element {
  const hubyard = useHubyard();
  const { schedule } = props;
  const { notebook, source, compute, lifetime_s, overlap, missed } = schedule;
  const [cron, setCron] = React.useState(schedule.cron ?? null);
  const [zone, setZone] = React.useState(schedule.time_zone);
  const [policy, setPolicy] = React.useState({ overlap, missed });
  const before = schedule.notify ?? null;
  const [notify, setNotify] = React.useState<Notify>(before);
  const when =
    cron === null ? null : { cron: cron.trim(), time_zone: zone.trim() };
  const preview = usePreview({ notebook, digest: source }, when, {
    compute,
    lifetime_s
  });
  const ready = when === null || (preview.data !== null && !preview.pending);
  // A channel that is gone may stay where it is, but not be named anew.
  const told = notify === before ? {} : { notify: notify && [...notify] };
  useSubmit(
    ready
      ? () => save(hubyard, schedule, { ...when, ...policy, ...told })
      : null
  );
  const rest = (
    <>
      <PolicyFields policy={policy} onChange={setPolicy} />
      <NotifyField notify={notify} onChange={setNotify} />
    </>
  );
  return cron === null ? (
    rest
  ) : (
    <div className="hy-Columns">
      <div>
        <TimingFields
          cron={cron}
          zone={zone}
          onCron={setCron}
          onZone={setZone}
        />
        {rest}
      </div>
      <PreviewCard answer={preview} />
    </div>
  );
}

async function save(
  { client, polls, trans }: IHubyard,
  { id }: Schedule,
  change: ScheduleChange
): Promise<void> {
  const changed = await client.changeSchedule(id, change);
  void polls.schedules.refresh();
  tell(trans.__('%1 is scheduled: %2.', changed.name, changed.text));
}
