/** Edit a schedule: when it fires, and what becomes of late and overlapping fires. */
import * as React from 'react';
import type { Schedule, ScheduleChange } from '../api/types';
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

/** Of one that a trigger wakes, only the policy can be another. */
function EditForm(props: { readonly schedule: Schedule }): React.JSX.Element {
  const hubyard = useHubyard();
  const { schedule } = props;
  const { notebook, source, compute, lifetime_s, overlap, missed } = schedule;
  const [cron, setCron] = React.useState(schedule.cron ?? null);
  const [zone, setZone] = React.useState(schedule.time_zone);
  const [policy, setPolicy] = React.useState({ overlap, missed });
  const when =
    cron === null ? null : { cron: cron.trim(), time_zone: zone.trim() };
  const preview = usePreview({ notebook, digest: source }, when, {
    compute,
    lifetime_s
  });
  const ready = when === null || (preview.data !== null && !preview.pending);
  useSubmit(
    ready ? () => save(hubyard, schedule, { ...when, ...policy }) : null
  );
  const policyFields = <PolicyFields policy={policy} onChange={setPolicy} />;
  return cron === null ? (
    policyFields
  ) : (
    <div className="hy-Columns">
      <div>
        <TimingFields
          cron={cron}
          zone={zone}
          onCron={setCron}
          onZone={setZone}
        />
        {policyFields}
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
