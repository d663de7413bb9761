/** Opening a notebook: the file of a tracked run, or the copy kept with a run. */
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import { WindowedList } from '@jupyterlab/ui-components';
import * as React from 'react';
import { wordsOf } from '../api/poll';
import type { Run, StepRecord, TrackedRun } from '../api/types';
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
/** The notebook that a run has executed, as a file, at the cell that failed. */
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
  const copy = copyOf(stem(path), run.id);
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

/** An executed notebook of a run. */
export interface IExecuted {
  readonly run: Pick<Run, 'id' | 'notebook' | 'failure'>;
  /** Of which step run; without it, of the one that failed, or tells most. */
  readonly step?: Pick<StepRecord, 'key' | 'failure'>;
}

/** The notebook that a run has executed, at the cell that failed. */
export async function openExecuted(
  hubyard: IHubyard,
  contents: Contents.IManager,
  { run, step }: IExecuted
): Promise<void> {
  const key = step?.key ?? run.failure?.step ?? undefined;
  const failure = step === undefined ? run.failure : step.failure;
  const copy = copyOf(key ?? stem(run.notebook), run.id);
  const fetch = () => hubyard.client.executedNotebook(run.id, key);
  const opened = await openCopy(hubyard, contents, copy, fetch);
  if (opened !== undefined && failure?.cell != null) {
    await showCell(opened, failure.cell);
  }
}

const LOOK_MS = 200;
const MOST_LOOKS = 25;
/** A cell that stays in its place for so many looks has found it. */
const STILL = 3;

/**
 * Scroll an open notebook to a cell and make it the active one.
 *
 * While a notebook is drawn, what stands above a cell grows and moves it away.
 */
async function showCell(opened: IDocumentWidget, index: number): Promise<void> {
  await opened.context.ready;
  await opened.revealed;
  const { content } = opened;
  if (!(content instanceof WindowedList)) {
    return;
  }
  Object.assign(content, { activeCellIndex: index });
  let [place, still] = [NaN, 0];
  for (let look = 0; look < MOST_LOOKS && still < STILL; look += 1) {
    await content.scrollToItem(index, 'center').catch(() => undefined);
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
    const top = topOf(content.node, index);
    still = top === place ? still + 1 : 0;
    place = top;
  }
}

function topOf(notebook: HTMLElement, index: number): number {
  const cell = notebook.querySelector(`[data-windowed-list-index="${index}"]`);
  return cell === null ? NaN : Math.round(cell.getBoundingClientRect().top);
}

/** Its end tells an id from others: some ids begin with a time. */
function copyOf(name: string, id: string): string {
  return `${name}-${id.slice(-8)}.ipynb`;
}

async function openCopy(
  { commands }: IHubyard,
  contents: Contents.IManager,
  path: string,
  fetch: () => Promise<string>
): Promise<IDocumentWidget | undefined> {
  await keepCopy(contents, path, fetch);
  return (await commands.execute('docmanager:open', { path })) as
    IDocumentWidget | undefined;
}
