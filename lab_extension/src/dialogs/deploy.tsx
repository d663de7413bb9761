/** Deploy: a model version is served by an endpoint, at a price shown before. */
import * as React from 'react';
import type { ModelVersion } from '../api/types';
import {
  ComputeFields,
  type IChoice,
  mayStart,
  PriceLine,
  useEstimate
} from '../components/ComputeFields';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { tell } from '../toast';
import { openForm, useSubmit } from './form';

export function openDeploy(
  hubyard: IHubyard,
  version: ModelVersion
): Promise<void> {
  const { trans } = hubyard;
  return openForm(hubyard, {
    title: trans.__('Deploy %1 version %2', version.model, version.version),
    confirm: trans.__('Deploy'),
    name: 'deploy',
    focus: 'select',
    body: <DeployForm version={version} />
  });
}

function DeployForm(props: {
  readonly version: ModelVersion;
}): React.JSX.Element {
  const hubyard = useHubyard();
  const [choice, setChoice] = React.useState<IChoice | null>(null);
  const estimate = useEstimate(choice);
  useSubmit(
    choice === null || !mayStart(estimate)
      ? null
      : () => deploy(hubyard, props.version, choice)
  );
  return (
    <>
      <ComputeFields choice={choice} onChange={setChoice} />
      <PriceLine answer={estimate} />
    </>
  );
}

async function deploy(
  { client, polls, trans, commands }: IHubyard,
  { model, version }: ModelVersion,
  choice: IChoice
): Promise<void> {
  const deployment = await client.deploy({ model, version, ...choice });
  void polls.deployments.refresh();
  const show = () =>
    void commands.execute(CommandIDs.open, { section: 'deployments' });
  tell(trans.__('The endpoint %1 is starting.', deployment.name), {
    label: trans.__('Show'),
    run: show
  });
}
