/** Opening the notebook of a tracked run: the file, or the copy kept with the run. */
import type { Contents } from '@jupyterlab/services';
import * as React from 'react';
import type { TrackedRun } from '../api/types';
import { stem } from '../format';
import { type IHubyard, useHubyard } from '../hubyard';
import { follow } from '../toast';

export const ContentsContext = React.createContext<Contents.IManager | null>(
  null
);

export function useOpenNotebook(): (run: TrackedRun) => void {
  const hubyard = useHubyard();
  const contents = React.useContext(ContentsContext);
  return run => {
    if (contents !== null) {
      void openNotebook(hubyard, contents, run);
    }
  };
}

async function openNotebook(
  hubyard: IHubyard,
  contents: Contents.IManager,
  run: TrackedRun
): Promise<void> {
  const { commands, trans } = hubyard;
  const path = run.notebook ?? '';
  const exists = await contents.get(path, { content: false }).then(
    () => true,
    () => false
  );
  if (exists) {
    await commands.execute('docmanager:open', { path });
    return;
  }
  follow(openCopy(hubyard, contents, run), {
    pending: trans.__('Fetching the copy of the notebook…'),
    success: copy =>
      trans.__(
        '%1 is gone; this is the copy kept with the run: %2.',
        path,
        copy
      )
  });
}

async function openCopy(
  { client, commands }: IHubyard,
  contents: Contents.IManager,
  run: TrackedRun
): Promise<string> {
  const content: unknown = JSON.parse(await client.keptNotebook(run.id));
  const path = `${stem(run.notebook ?? run.name)}-${run.id.slice(0, 8)}.ipynb`;
  await contents.save(path, { type: 'notebook', format: 'json', content });
  await commands.execute('docmanager:open', { path });
  return path;
}
