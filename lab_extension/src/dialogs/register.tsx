/** Register: the model of a tracked run becomes a version of a registered model. */
import * as React from 'react';
import type { TrackedRun } from '../api/types';
import { TextField } from '../components/Field';
import { usePoll } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { modelName, proposedModelName } from '../names';
import { tell } from '../toast';
import { openForm, useSubmit } from './form';

const ALIASES = ['champion', 'challenger'];
const ALIAS = /^[A-Za-z0-9_-]{1,100}$/;

export function openRegister(
  hubyard: IHubyard,
  run: TrackedRun
): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Register the model of %1', run.name),
    confirm: trans.__('Register'),
    name: 'register',
    body: <RegisterForm run={run} />
  });
}

function RegisterForm(props: { readonly run: TrackedRun }): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans, polls } = hubyard;
  const known = usePoll(polls.models).data ?? [];
  const [name, setName] = React.useState(() => proposedModelName(props.run));
  const [alias, setAlias] = React.useState('');
  const badName = name !== '' && modelName(name) !== name.trim();
  const badAlias = alias !== '' && !ALIAS.test(alias);
  useSubmit(
    name.trim() === '' || badName || badAlias
      ? null
      : () => register(hubyard, props.run, name.trim(), alias)
  );
  return (
    <>
      <TextField
        label={trans.__('Model')}
        testId="hy-register-name"
        value={name}
        onChange={setName}
        options={known.map(model => model.name)}
        maxLength={250}
        help={trans.__('A name that exists gets a new version.')}
        error={badName ? trans.__('Leave out / : . % and quotes.') : null}
      />
      <TextField
        label={trans.__('Alias (optional)')}
        testId="hy-register-alias"
        value={alias}
        onChange={setAlias}
        options={ALIASES}
        help={trans.__(
          'A name that moves from version to version, such as champion.'
        )}
        error={
          badAlias
            ? trans.__('Use letters, digits, hyphen and underscore.')
            : null
        }
      />
    </>
  );
}

async function register(
  { client, polls, trans, commands }: IHubyard,
  run: TrackedRun,
  name: string,
  alias: string
): Promise<void> {
  const version = await client.register({
    run_id: run.id,
    name,
    alias: alias === '' ? null : alias
  });
  void polls.models.refresh();
  tell(
    trans.__('%1 version %2 is registered.', version.model, version.version),
    {
      label: trans.__('Show'),
      run: () => void commands.execute(CommandIDs.open, { section: 'models' })
    }
  );
}
