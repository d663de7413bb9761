/** Apps: web apps made from notebooks and files, and who may open them. */
import * as React from 'react';
import type { App } from '../api/types';
import { StatusWord } from '../components/Badge';
import { IconButton, IconLink } from '../components/Button';
import { Empty } from '../components/Empty';
import {
  haltIcon,
  openIcon,
  removeIcon,
  shareIcon,
  startIcon
} from '../components/icons';
import { Loaded } from '../components/Loaded';
import { Reason, Row, RowList } from '../components/Rows';
import { Section } from '../components/Section';
import { openShare } from '../dialogs/share';
import { durationText } from '../format';
import { usePollState } from '../hooks';
import { CommandIDs, type IHubyard, useHubyard } from '../hubyard';
import { isActive } from '../status';
import { act } from './acts';
import { TimeLeft } from './deployments';

export function Apps(): React.JSX.Element {
  const { polls, trans, commands } = useHubyard();
  const count = usePollState(polls.apps).data?.length;
  return (
    <Section
      id="apps"
      title={trans.__('Apps')}
      polls={[polls.apps]}
      badge={count}
    >
      <Loaded poll={polls.apps}>
        {apps =>
          apps.length === 0 ? (
            <Empty
              text={trans.__(
                'An app is a notebook or Python file as a web page, for people who read no code. Open one first.'
              )}
              action={{
                label: trans.__('Publish the open file'),
                run: () => void commands.execute(CommandIDs.publishApp)
              }}
            />
          ) : (
            <RowList label={trans.__('Apps')} items={apps}>
              {app => <AppRow key={app.id} app={app} />}
            </RowList>
          )
        }
      </Loaded>
    </Section>
  );
}

interface IProps {
  readonly app: App;
}

function AppRow({ app }: IProps): React.JSX.Element {
  const { trans } = useHubyard();
  const { status, price, cost, deadline, shares } = app;
  return (
    <Row
      id={app.id}
      status={status}
      name={app.name}
      facts={[
        <StatusWord key="status" status={status} />,
        app.framework,
        trans.__('%1/h', price.text),
        cost && trans.__('%1 so far', cost.text),
        isActive(status) && deadline != null ? (
          <TimeLeft key="left" deadline={deadline} />
        ) : null,
        shares.length > 0
          ? trans._n('shared with %1', 'shared with %1', shares.length)
          : null
      ]}
      actions={<Actions app={app} />}
    >
      <Reason
        reason={app.reason}
        log={status === 'failed' ? app.log_tail : null}
      />
    </Row>
  );
}

function Actions({ app }: IProps): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  const active = isActive(app.status);
  return (
    <>
      {app.status === 'ready' && (
        <IconLink
          icon={openIcon}
          label={trans.__('Open %1', app.name)}
          href={app.url}
          testId="hy-open-app"
        />
      )}
      <IconButton
        icon={shareIcon}
        label={trans.__('Share %1', app.name)}
        testId="hy-share-app"
        onClick={() => void openShare(hubyard, app)}
      />
      {active ? (
        <IconButton
          icon={haltIcon}
          label={trans.__('Stop %1', app.name)}
          testId="hy-stop"
          onClick={() => void stop(hubyard, app)}
        />
      ) : (
        <Restart app={app} />
      )}
    </>
  );
}

function Restart({ app }: IProps): React.JSX.Element {
  const hubyard = useHubyard();
  const { trans } = hubyard;
  return (
    <>
      <IconButton
        icon={startIcon}
        label={trans.__('Start %1', app.name)}
        testId="hy-start"
        onClick={() => void start(hubyard, app)}
      />
      <IconButton
        icon={removeIcon}
        label={trans.__('Delete %1', app.name)}
        testId="hy-delete"
        onClick={() => void remove(hubyard, app)}
      />
    </>
  );
}

function stop(hubyard: IHubyard, { id, name, price }: App): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Stop %1?', name),
      text: trans.__(
        'The app %1 is closed to everyone, and its %2 an hour end.',
        name,
        price.text
      ),
      confirm: trans.__('Stop'),
      destroys: true
    },
    job: () => client.stopApp(id),
    pending: trans.__('Stopping %1…', name),
    success: trans.__('%1 is stopping.', name),
    poll: polls.apps
  });
}

function start(
  hubyard: IHubyard,
  { id, name, price, lifetime_s }: App
): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Start %1?', name),
      text: trans.__(
        'The app %1 costs %2 an hour, for %3 at most.',
        name,
        price.text,
        durationText(lifetime_s)
      ),
      confirm: trans.__('Start')
    },
    job: () => client.startApp(id),
    pending: trans.__('Starting %1…', name),
    success: trans.__('%1 is starting.', name),
    poll: polls.apps
  });
}

function remove(hubyard: IHubyard, { id, name }: App): Promise<void> {
  const { client, polls, trans } = hubyard;
  return act(hubyard, {
    question: {
      title: trans.__('Delete %1?', name),
      text: trans.__(
        'The app %1 and its address are gone for good. The file stays.',
        name
      ),
      confirm: trans.__('Delete'),
      destroys: true
    },
    job: () => client.remove('apps', id),
    pending: trans.__('Deleting %1…', name),
    success: trans.__('%1 is deleted.', name),
    poll: polls.apps
  });
}
