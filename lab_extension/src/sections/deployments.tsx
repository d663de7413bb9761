/** Deployments: which model versions are served, since when and at what cost. */
import * as React from 'react';
import type { Deployment } from '../api/types';
import { StatusWord } from '../components/Badge';
import { IconButton, TextButton } from '../components/Button';
import { Empty } from '../components/Empty';
import { haltIcon, removeIcon, startIcon } from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Reason, Row, RowList } from '../components/Rows';
import { Section } from '../components/Section';
import { openUse } from '../dialogs/use';
import { durationText, secondsBetween } from '../format';
import { usePollState } from '../hooks';
import { type IHubyard, useHubyard } from '../hubyard';
import { isActive } from '../status';
import { act } from './acts';
import { useSections } from './model';

export function Deployments(): React.JSX.Element {
  const { polls, trans } = useHubyard();
  const sections = useSections();
  const count = usePollState(polls.deployments).data?.length;
  return (
    <Section
      id="deployments"
      title={trans.__('Deployments')}
      polls={[polls.deployments]}
      badge={count}
    >
      <Loaded poll={polls.deployments}>
        {deployments =>
          deployments.length === 0 ? (
            <Empty
              text={trans.__(
                'A deployment answers requests with a model version, over HTTP and behind a key. Press Deploy on a version.'
              )}
              action={{
                label: trans.__('Choose a model'),
                run: () => {
                  sections.reveal('models');
                }
              }}
            />
          ) : (
            <RowList label={trans.__('Deployments')} items={deployments}>
              {each => <DeploymentRow key={each.id} deployment={each} />}
            </RowList>
          )
        }
      </Loaded>
    </Section>
  );
}

interface IProps {
  readonly deployment: Deployment;
}

function DeploymentRow({ deployment }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { revision, status, price, cost, deadline, per_thousand } = deployment;
  const failed = status === 'failed';
  return (
    <Row
      id={deployment.id}
      status={status}
      name={deployment.name}
      facts={[
        <StatusWord key="status" status={status} />,
        trans.__('%1 version %2', revision.model, revision.version),
        trans.__('%1/h', price.text),
        cost && trans.__('%1 so far', cost.text),
        per_thousand && trans.__('%1 per 1,000 requests', per_thousand.text),
        isActive(status) && deadline != null ? (
          <TimeLeft key="left" deadline={deadline} />
        ) : null
      ]}
      actions={<Actions deployment={deployment} />}
    >
      <Reason
        reason={deployment.reason}
        log={failed ? deployment.log_tail : null}
      />
    </Row>
  );
}

/** How long something still lives. */
export function TimeLeft(props: {
  readonly deadline: string;
}): React.JSX.Element {
  const { trans } = useHubyard();
  const seconds = secondsBetween(new Date().toISOString(), props.deadline);
  return <span>{trans.__('%1 left', durationText(seconds))}</span>;
}

function Actions({ deployment }: IProps): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  if (isActive(deployment.status)) {
    return (
      <>
        <TextButton
          testId="hy-use"
          label={trans.__('Use %1', deployment.name)}
          onClick={() => void openUse(hubyard, deployment)}
        >
          {trans.__('Use')}
        </TextButton>
        <IconButton
          icon={haltIcon}
          label={trans.__('Stop %1', deployment.name)}
          testId="hy-stop"
          onClick={() => void stop(hubyard, deployment)}
        />
      </>
    );
  }
  return (
    <>
      <IconButton
        icon={startIcon}
        label={trans.__('Start %1', deployment.name)}
        testId="hy-start"
        onClick={() => void start(hubyard, deployment)}
      />
      <IconButton
        icon={removeIcon}
        label={trans.__('Delete %1', deployment.name)}
        testId="hy-delete"
        onClick={() => void remove(hubyard, deployment)}
      />
    </>
  );
}

function stop(
  hubyard: IHubyard,
  { id, name, price }: Deployment
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Stop %1?', name),
      text: trans.__(
        'The endpoint %1 answers no more requests, and its %2 an hour end.',
        name,
        price.text
      ),
      confirm: trans.__('Stop'),
      destroys: true
    },
    job: () => client.stopDeployment(id),
    pending: trans.__('Stopping %1…', name),
    success: trans.__('%1 is stopping.', name),
    poll: polls.deployments
  });
}

function start(
  hubyard: IHubyard,
  { id, name, price, lifetime_s }: Deployment
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Start %1?', name),
      text: trans.__(
        'The endpoint %1 costs %2 an hour, for %3 at most.',
        name,
        price.text,
        durationText(lifetime_s)
      ),
      confirm: trans.__('Start')
    },
    job: () => client.startDeployment(id),
    pending: trans.__('Starting %1…', name),
    success: trans.__('%1 is starting.', name),
    poll: polls.deployments
  });
}

function remove(hubyard: IHubyard, { id, name }: Deployment): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Delete %1?', name),
      text: trans.__(
        'The deployment %1 and its address are gone for good. The model stays.',
        name
      ),
      confirm: trans.__('Delete'),
      destroys: true
    },
    job: () => client.remove('deployments', id),
    pending: trans.__('Deleting %1…', name),
    success: trans.__('%1 is deleted.', name),
    poll: polls.deployments
  });
}
