/** Hook: the secret of a webhook that was just made, this once, and how to call it. */
import * as React from 'react';
import type { NewSchedule } from '../api/types';
import { CopyField } from '../components/CopyField';
import { type IHubyard, useHubyard } from '../hubyard';
import { openForm } from './form';

export function openHook(
  hubyard: IHubyard,
  schedule: NewSchedule
): Promise<void> {
  return openForm(hubyard, {
    title: hubyard.trans.__('The webhook of %1', schedule.name),
    name: 'hook',
    focus: 'button',
    body: <HookFields made={schedule} />
  });
}

function HookFields(props: { readonly made: NewSchedule }): React.JSX.Element {
  const { trans } = useHubyard();
  const { secret, curl } = props.made;
  return (
    <>
      <p className="hy-Note" role="status">
        {trans.__('Copy the secret now: it is shown this once.')}
      </p>
      <CopyField
        label={trans.__('Secret')}
        value={secret ?? ''}
        testId="hy-hook-secret"
      />
      <CopyField
        label={trans.__('In a terminal')}
        value={curl ?? ''}
        testId="hy-hook-curl"
        code
      />
    </>
  );
}
