/** Use: where an endpoint answers, a key for it, and calls that run unchanged. */
import * as React from 'react';
import { wordsOf } from '../api/poll';
import type { Deployment, Key } from '../api/types';
import { Alert } from '../components/Alert';
import { TextButton } from '../components/Button';
import { CopyField } from '../components/CopyField';
import { SelectField } from '../components/Field';
import { durationText, fullMoment } from '../format';
import { type IHubyard, useHubyard } from '../hubyard';
import { openForm } from './form';

const DAY_S = 86_400;
const EXPIRIES_S = [DAY_S, 7 * DAY_S, 30 * DAY_S, 90 * DAY_S];

export function openUse(
  hubyard: IHubyard,
  deployment: Deployment
): Promise<void> {
  return openForm(hubyard, {
    title: hubyard.trans.__('Use %1', deployment.name),
    name: 'use',
    focus: '[data-testid="hy-make-key"]',
    body: <UseForm deployment={deployment} />
  });
}

function UseForm(props: {
  readonly deployment: Deployment;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const [key, setKey] = React.useState<Key | null>(null);
  return (
    <>
      <CopyField
        label={trans.__('Requests go to')}
        value={`${props.deployment.url}invocations`}
        testId="hy-use-url"
      />
      {key === null ? (
        <MakeKey id={props.deployment.id} onMade={setKey} />
      ) : (
        <KeyFields made={key} />
      )}
    </>
  );
}

function MakeKey(props: {
  readonly id: string;
  readonly onMade: (key: Key) => void;
}): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [expiry, setExpiry] = React.useState(30 * DAY_S);
  const [busy, setBusy] = React.useState(false);
  const [error, setError] = React.useState<string | null>(null);
  const make = () => {
    setBusy(true);
    setError(null);
    client
      .makeKey(props.id, { expires_in_s: expiry })
      .then(props.onMade, (reason: unknown) => {
        setError(wordsOf(reason));
        setBusy(false);
      });
  };
  return (
    <>
      <SelectField
        label={trans.__('A key that opens this endpoint and nothing else, for')}
        testId="hy-key-expiry"
        value={String(expiry)}
        options={EXPIRIES_S.map(seconds => ({
          value: String(seconds),
          label: durationText(seconds)
        }))}
        onChange={seconds => {
          setExpiry(Number(seconds));
        }}
      />
      <div>
        <TextButton onClick={make} disabled={busy} testId="hy-make-key">
          {trans.__('Make a key')}
        </TextButton>
      </div>
      {error !== null && <Alert message={error} />}
    </>
  );
}

function KeyFields(props: { readonly made: Key }): React.JSX.Element {
  const { trans } = useHubyard();
  const { made } = props;
  return (
    <>
      <p className="hy-Note" role="status">
        {trans.__(
          'Copy the key now: it is shown this once. It ends %1.',
          fullMoment(made.expires_at)
        )}
      </p>
      <CopyField
        label={trans.__('Key')}
        value={made.token}
        testId="hy-key-token"
      />
      <CopyField
        label={trans.__('In a terminal')}
        value={made.curl}
        testId="hy-snippet-curl"
        code
      />
      <CopyField
        label={trans.__('In a cell')}
        value={made.python}
        testId="hy-snippet-python"
        code
      />
    </>
  );
}
