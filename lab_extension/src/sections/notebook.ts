/** Opening a notebook: the file of a tracked run, or the copy kept with a run. */
import type { Contents } from '@jupyterlab/services';
import * as React from 'react';
import { wordsOf } from '../api/poll';
import type { Run, TrackedRun } from '../api/types';
import { isThere, keepCopy } from '../copies';
import { stem } from '../format';
import { type IHubyard, useHubyard } from '../hubyard';
import { fail, follow } from '../toast';

export const ContentsContext = React.createContext<Contents.IManager | null>(
  null
);

type Open<T> = (
  hubyard: IHubyard,
  contents: Contents.IManager,
  run: T
) => Promise<void>;

/** The file that a tracked run was made with; its copy, where it is gone. */
export const useOpenNotebook = () => useOpen(openNotebook);
/** The notebook that a run has executed, as a file of this workspace. */
export const useOpenExecuted = () => useOpen(openExecuted);

function useOpen<T>(open: Open<T>): (run: T) => void {
  const hubyard = useHubyard();
  const contents = React.useContext(ContentsContext);
  return run => {
    if (contents !== null) {
      open(hubyard, contents, run).catch((reason: unknown) => {
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
  const copy = copyOf(path, run.id);
  const fetch = () => hubyard.client.keptNotebook(run.id);
  follow(openCopy(hubyard, contents, copy, fetch), {
    pending: trans.__('Fetching the copy of the notebook…'),
    success: () =>
      trans.__(
        '%1 is gone; this is the copy kept with the run: %2.',
        path,
        copy
      )
  });
}

async function openExecuted(
  hubyard: IHubyard,
  contents: Contents.IManager,
  run: Run
): Promise<void> {
  const copy = copyOf(run.notebook, run.id);
  const fetch = () => hubyard.client.executedNotebook(run.id);
  await openCopy(hubyard, contents, copy, fetch);
}

/** Its end tells an id from others: some ids begin with a time. */
function copyOf(path: string, id: string): string {
  return `${stem(path)}-${id.slice(-8)}.ipynb`;
}

async function openCopy(
  { commands }: IHubyard,
  contents: Contents.IManager,
  path: string,
  fetch: () => Promise<string>
): Promise<void> {
  await keepCopy(contents, path, fetch);
  await commands.execute('docmanager:open', { path });
}
