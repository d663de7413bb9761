/** The log of a run: what its process has printed, asked for when it is unfolded. */
import * as React from 'react';
import type { Run } from '../api/types';
import { Alert } from '../components/Alert';
import { useAnswer } from '../hooks';
import { useHubyard } from '../hubyard';

export function RunLog({ run }: { readonly run: Run }): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [open, setOpen] = React.useState(false);
  const ask = () => client.runLog(run.id);
  const { data, error } = useAnswer(open ? run.id : null, ask);
  return (
    <details
      className="hy-Reason"
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{trans.__('Log')}</summary>
      {error !== null && <Alert message={error} />}
      {data === '' && <p>{trans.__('It has printed nothing.')}</p>}
      {data !== null && data !== '' && (
        <pre tabIndex={0} data-testid="hy-run-log">
          {data}
        </pre>
      )}
    </details>
  );
}
