/** Publish: a notebook or file becomes a web app of its own. */
import * as React from 'react';
import type { Source } from '../api/types';
import {
  ComputeFields,
  type IChoice,
  mayStart,
  PriceLine,
  useEstimate
} from '../components/ComputeFields';
import { TextField } from '../components/Field';
import { fileName, stem } from '../format';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { tell } from '../toast';
import { openForm, useSubmit } from './form';
import { type ISourceProps, packFile, WithSource } from './source';

export function openPublish(hubyard: IHubyard, path: string): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Publish %1 as an app', fileName(path)),
    confirm: trans.__('Publish'),
    name: 'publish',
    focus: 'input',
    body: (
      <WithSource
        path={path}
        pack={packFile}
        form={props => <PublishForm path={path} {...props} />}
      />
    )
  });
}

function PublishForm(
  props: ISourceProps<Source> & { readonly path: string }
): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const [name, setName] = React.useState(() => stem(props.path));
  const [choice, setChoice] = React.useState<IChoice | null>(null);
  const estimate = useEstimate(choice, props.source);
  const title = name.trim();
  useSubmit(
    title === '' || choice === null || !mayStart(estimate)
      ? null
      : () => publish(hubyard, props, title, choice)
  );
  return (
    <>
      <TextField
        label={trans.__('Name')}
        testId="hy-publish-name"
        value={name}
        onChange={setName}
        maxLength={128}
        help={trans.__('Only you can open it, until you share it.')}
      />
      <ComputeFields
        choice={choice}
        onChange={setChoice}
        wanted={props.source.compute}
      />
      <PriceLine answer={estimate} />
    </>
  );
}

async function publish(
  { client, polls, trans, commands }: IHubyard,
  { path, source }: { readonly path: string; readonly source: Source },
  name: string,
  choice: IChoice
): Promise<void> {
  const app = await client.publish({
    source: source.digest,
    path: fileName(path),
    name,
    ...choice
  });
  void polls.apps.refresh();
  tell(trans.__('The app %1 is starting.', app.name), {
    label: trans.__('Show'),
    run: () => void commands.execute(CommandIDs.open, { section: 'apps' })
  });
}
