/** Share: who else may open an app, users and groups. */
import * as React from 'react';
import { wordsOf } from '../api/poll';
import type { App, Share } from '../api/types';
import { Alert } from '../components/Alert';
import { IconButton, TextButton } from '../components/Button';
import { SelectField, TextField } from '../components/Field';
import { removeIcon } from '../components/icons';
import { type IHubyard, useHubyard } from '../hubyard';
import { openForm } from './form';

export function openShare(hubyard: IHubyard, app: App): Promise<void> {
  return openForm(hubyard, {
    title: hubyard.trans.__('Share %1', app.name),
    name: 'share',
    focus: 'input',
    body: <ShareForm app={app} />
  });
}

type With = 'user' | 'group';

interface IChange {
  readonly busy: boolean;
  readonly error: string | null;
  /** Resolves to whether it was done. */
  readonly change: (job: Promise<App>) => Promise<boolean>;
}

/** Changes of one app, one at a time. */
function useChange(onDone: (app: App) => void): IChange {
  const { polls } = useHubyard();
  const [busy, setBusy] = React.useState(false);
  const [error, setError] = React.useState<string | null>(null);
  const change = async (job: Promise<App>) => {
    setBusy(true);
    const failure = await job.then(onDone).then(() => null, wordsOf);
    setError(failure);
    setBusy(false);
    void polls.apps.refresh();
    return failure === null;
  };
  return { busy, error, change };
}

function ShareForm(props: { readonly app: App }): React.JSX.Element {
  const { client, trans } = useHubyard();
  const [app, setApp] = React.useState(props.app);
  const [who, setWho] = React.useState<With>('user');
  const [name, setName] = React.useState('');
  const { busy, error, change } = useChange(setApp);
  const add = async () => {
    if (await change(client.share(app.id, { [who]: name.trim() }))) {
      setName('');
    }
  };
  return (
    <>
      <form
        className="hy-Form"
        onSubmit={event => {
          event.preventDefault();
          void add();
        }}
      >
        <div className="hy-Pair">
          <SelectField
            label={trans.__('With')}
            testId="hy-share-with"
            value={who}
            options={[
              { value: 'user', label: trans.__('a user') },
              { value: 'group', label: trans.__('a group') }
            ]}
            onChange={value => {
              setWho(value === 'group' ? 'group' : 'user');
            }}
          />
          <TextField
            label={trans.__('Name')}
            testId="hy-share-name"
            value={name}
            onChange={setName}
            maxLength={255}
          />
        </div>
        <div>
          <TextButton
            testId="hy-share-add"
            disabled={busy || name.trim() === ''}
            submit
          >
            {trans.__('Share')}
          </TextButton>
        </div>
      </form>
      {error !== null && <Alert message={error} />}
      <Shares
        shares={app.shares}
        onRemove={share => void change(client.unshare(app.id, share))}
      />
    </>
  );
}

function Shares(props: {
  readonly shares: readonly Share[];
  readonly onRemove: (share: Share) => void;
}): React.JSX.Element {
  const { trans } = useHubyard();
  if (props.shares.length === 0) {
    return <p className="hy-Help">{trans.__('Only you can open it.')}</p>;
  }
  return (
    <ul className="hy-Shares" aria-label={trans.__('Shared with')}>
      {props.shares.map(share => {
        const text =
          share.user == null
            ? trans.__('group %1', share.group ?? '')
            : share.user;
        return (
          <li key={text} data-testid="hy-share">
            {text}
            <IconButton
              icon={removeIcon}
              label={trans.__('Stop sharing with %1', text)}
              testId="hy-share-remove"
              onClick={() => {
                props.onRemove(share);
              }}
            />
          </li>
        );
      })}
    </ul>
  );
}
