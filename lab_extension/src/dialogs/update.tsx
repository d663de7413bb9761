/** Update a schedule: it takes its notebook as it is now, once its changes are seen. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { ChangedFile, NotebookSource, Schedule } from '../api/types';
import { Alert } from '../components/Alert';
import { useAnswer } from '../hooks';
import { type IHubyard, useHubyard } from '../hubyard';
import { tell } from '../toast';
import { openForm, useSubmit } from './form';
import { type ISourceProps, type Pack, WithSource } from './source';

export function openUpdate(
  hubyard: IHubyard,
  path: string,
  schedule: Schedule
): Promise<void> {
  const { trans } = hubyard;
  const form = ({ source }: ISourceProps<NotebookSource>) => (
    <UpdateForm source={source} schedule={schedule} />
  );
  const pack: Pack<NotebookSource> = (client, file) =>
    client.packNotebook(file, schedule.notebook);
  return openForm(hubyard, {
    title: trans.__('Update %1 to %2 as it is now', schedule.name, path),
    confirm: trans.__('Update'),
    name: 'update',
    body: <WithSource path={path} pack={pack} form={form} />
  });
}

function UpdateForm(
  props: ISourceProps<NotebookSource> & { readonly schedule: Schedule }
): React.JSX.Element {
  const hubyard = useHubyard();
  const { client, trans } = hubyard;
  const { source, schedule } = props;
  const { data, error } = useAnswer(source.digest, () =>
    client.compare(schedule.source, source.digest)
  );
  useSubmit(
    data !== null && data.files.length > 0
      ? () => update(hubyard, schedule, source.digest)
      : null
  );
  if (error !== null) {
    return <Alert message={error} />;
  }
  if (data === null) {
    return <p role="status">{trans.__('Comparing…')}</p>;
  }
  return data.files.length === 0 ? (
    <p data-testid="hy-no-changes">
      {trans.__('It runs the notebook as it is now.')}
    </p>
  ) : (
    <ul className="hy-Changes" data-testid="hy-changes">
      {data.files.map(file => (
        <li key={file.name}>
          <p>{changeText(trans, file)}</p>
          {file.diff && (
            <pre tabIndex={0} aria-label={trans.__('What changed')}>
              {file.diff}
            </pre>
          )}
        </li>
      ))}
    </ul>
  );
}

function changeText(
  trans: TranslationBundle,
  { change, name }: ChangedFile
): string {
  switch (change) {
    case 'added':
      return trans.__('%1 is new', name);
    case 'removed':
      return trans.__('%1 is gone', name);
    case 'changed':
      return trans.__('%1 has changed', name);
  }
}

async function update(
  { client, polls, trans }: IHubyard,
  { id }: Schedule,
  source: string
): Promise<void> {
  const { name } = await client.changeSchedule(id, { source });
  void polls.schedules.refresh();
  tell(trans.__('%1 runs the notebook as it is now.', name));
}
