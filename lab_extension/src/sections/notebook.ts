/** Opening a notebook: the file of a tracked run, or the copy kept with a run. */
import type { Contents } from '@jupyterlab/services';
import * as React from 'react';
import { wordsOf } from '../api/poll';
import type { TrackedRun } from '../api/types';
import { isThere, keepCopy } from '../copies';
import { stem } from '../format';
import { type IHubyard, useHubyard } from '../hubyard';
import { fail, follow } from '../toast';

export const ContentsContext = React.createContext<Contents.IManager | null>(
  null
);

export function useOpenNotebook(): (run: TrackedRun) => void {
  const hubyard = useHubyard();
  const contents = React.useContext(ContentsContext);
  return run => {
    if (contents !== null) {
      openNotebook(hubyard, contents, run).catch((reason: unknown) => {
        fail(wordsOf(reason));
      });
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
  if (await isThere(contents, path)) {
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
  const path = `${stem(run.notebook ?? run.name)}-${run.id.slice(0, 8)}.ipynb`;
  await keepCopy(contents, path, () => client.keptNotebook(run.id));
  await commands.execute('docmanager:open', { path });
  return path;
}
