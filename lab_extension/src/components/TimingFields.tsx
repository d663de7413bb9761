/** When a schedule fires: a preset or a cron, and its time zone. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import { useHubyard } from '../hubyard';
import { PRESETS, type PresetId, presetOf, timeZones } from '../timing';
import { SelectField, TextField } from './Field';

export function TimingFields(props: {
  readonly cron: string;
  readonly zone: string;
  readonly onCron: (cron: string) => void;
  readonly onZone: (zone: string) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const [custom, setCustom] = React.useState(false);
  const zones = React.useMemo(() => timeZones(), []);
  const chosen: PresetId = custom ? 'custom' : presetOf(props.cron);
  const choose = (id: string) => {
    const preset = PRESETS.find(each => each.id === id);
    setCustom(preset === undefined);
    if (preset) {
      props.onCron(preset.cron);
    }
  };
  return (
    <>
      <SelectField
        label={trans.__('Repeat')}
        testId="hy-preset"
        value={chosen}
        options={[...PRESETS.map(each => each.id), 'custom' as const].map(
          id => ({
            value: id,
            label: presetText(trans, id)
          })
        )}
        onChange={choose}
      />
      <div className="hy-Pair">
        <TextField
          label={trans.__('Cron')}
          testId="hy-cron"
          code
          value={props.cron}
          onChange={props.onCron}
          maxLength={256}
          help={trans.__('minute hour day month weekday')}
        />
        <TextField
          label={trans.__('Time zone')}
          testId="hy-time-zone"
          value={props.zone}
          onChange={props.onZone}
          options={zones}
          maxLength={64}
        />
      </div>
    </>
  );
}

function presetText(trans: TranslationBundle, id: PresetId): string {
  switch (id) {
    case 'hourly':
      return trans.__('Every hour');
    case 'daily':
      return trans.__('Every day at 02:30');
    case 'weekdays':
      return trans.__('Weekdays at 02:30');
    case 'mondays':
      return trans.__('Every Monday at 02:30');
    case 'custom':
      return trans.__('Custom');
  }
}
