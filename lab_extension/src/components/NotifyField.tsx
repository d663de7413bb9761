/** Who is told when a run of a schedule fails, besides its owner's bell. */
import * as React from 'react';
import { useAnswer } from '../hooks';
import { useHubyard } from '../hubyard';
import { SelectField } from './Field';

const USUAL = '';
const NOBODY = '-';

/** Nothing, where there are no channels. `notify` is null for those that are usual. */
export function NotifyField(props: {
  readonly notify: readonly string[] | null;
  readonly onChange: (notify: string[] | null) => void;
}): React.JSX.Element | null {
  const { client, trans } = useHubyard();
  const channels = useAnswer('channels', client.channels).data ?? [];
  if (channels.length === 0) {
    return null;
  }
  const usual = channels.filter(each => each.is_default).map(each => each.name);
  const chosen = props.notify === null ? USUAL : (props.notify[0] ?? NOBODY);
  return (
    <SelectField
      label={trans.__('If a run fails, tell')}
      testId="hy-notify"
      value={chosen}
      options={[
        {
          value: USUAL,
          label: trans.__(
            'The usual: %1',
            usual.join(', ') || trans.__('only me')
          )
        },
        { value: NOBODY, label: trans.__('Only me') },
        ...channels.map(({ name, purpose }) => ({
          value: name,
          label: purpose == null ? name : `${name}: ${purpose}`
        }))
      ]}
      onChange={value => {
        props.onChange(
          value === USUAL ? null : value === NOBODY ? [] : [value]
        );
      }}
    />
  );
}
