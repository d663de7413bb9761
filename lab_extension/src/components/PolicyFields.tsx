/** What becomes of a fire that overlaps a run, or that nothing could start in time. */
import * as React from 'react';
import type { SchedulePolicy } from '../api/types';
import { useHubyard } from '../hubyard';
import { SelectField } from './Field';

export const FIRST_POLICY: SchedulePolicy = {
  overlap: 'skip',
  missed: 'once'
};

export function PolicyFields(props: {
  readonly policy: SchedulePolicy;
  readonly onChange: (policy: SchedulePolicy) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const { policy, onChange } = props;
  const overlaps: Record<SchedulePolicy['overlap'], string> = {
    skip: trans.__('Leave this one out'),
    queue: trans.__('Wait for it'),
    allow: trans.__('Run both')
  };
  const missed: Record<SchedulePolicy['missed'], string> = {
    once: trans.__('One run for all'),
    all: trans.__('A run for each'),
    skip: trans.__('No run')
  };
  return (
    <div className="hy-Pair">
      <SelectField
        label={trans.__('If the last run is active')}
        testId="hy-overlap"
        value={policy.overlap}
        options={options(overlaps)}
        onChange={overlap => {
          onChange({
            ...policy,
            overlap: overlap as SchedulePolicy['overlap']
          });
        }}
      />
      <SelectField
        label={trans.__('If Hubyard was down')}
        testId="hy-missed"
        value={policy.missed}
        options={options(missed)}
        onChange={chosen => {
          onChange({ ...policy, missed: chosen as SchedulePolicy['missed'] });
        }}
      />
    </div>
  );
}

function options(texts: Readonly<Record<string, string>>) {
  return Object.entries(texts).map(([value, label]) => ({ value, label }));
}
