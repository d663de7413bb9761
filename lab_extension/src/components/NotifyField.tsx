/** Who is told when a run of a schedule fails, besides its owner's bell. */
import * as React from 'react';
import { useAnswer } from '../hooks';
import { useHubyard } from '../hubyard';
import { SelectField } from './Field';

/** No channel can be called like these. */
const USUAL = 'usual';
const NOBODY = 'nobody';

/** The names of channels; null for those that are usual. */
export type Notify = readonly string[] | null;

/** Nothing, where there are no channels. */
export function NotifyField(props: {
  readonly notify: Notify;
  readonly onChange: (notify: string[] | null) => void;
}): React.JSX.Element | null {
  const { client, trans } = useHubyard();
  const [before] = React.useState(props.notify);
  const channels = useAnswer('channels', client.channels).data ?? [];
  if (channels.length === 0) {
    return null;
  }
  const usual = channels.filter(each => each.is_default).map(each => each.name);
  const options = [
    {
      value: USUAL,
      label: trans.__('The usual: %1', usual.join(', ') || trans.__('only me'))
    },
    { value: NOBODY, label: trans.__('Only me') },
    ...channels.map(({ name, purpose }) => ({
      value: name,
      label: purpose == null ? name : `${name}: ${purpose}`
    }))
  ];
  // Several of them, or one that is gone: it stays until another is chosen.
  const kept = valueOf(before);
  if (options.every(({ value }) => value !== kept)) {
    options.push({ value: kept, label: before!.join(', ') });
  }
  return (
    <SelectField
      label={trans.__('If a run fails, tell')}
      testId="hy-notify"
      value={valueOf(props.notify)}
      options={options}
      onChange={value => {
        props.onChange(notifyOf(value));
      }}
    />
  );
}

function valueOf(notify: Notify): string {
  return notify === null ? USUAL : notify.join(' ') || NOBODY;
}

function notifyOf(value: string): string[] | null {
  return value === USUAL ? null : value === NOBODY ? [] : value.split(' ');
}
