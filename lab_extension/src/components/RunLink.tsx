/** A link that opens a run in a tab of its own. */
import * as React from 'react';
import { CommandIDs, useHubyard } from '../hubyard';

export function RunLink(props: {
  readonly run: string;
  /** What its tab is called; without it, what the run is called. */
  readonly name?: string;
  readonly children: React.ReactNode;
}): React.JSX.Element {
  const { commands } = useHubyard();
  const { run, name } = props;
  return (
    <button
      type="button"
      className="hy-LinkButton"
      data-testid="hy-open-run"
      onClick={() => void commands.execute(CommandIDs.openRun, { run, name })}
    >
      {props.children}
    </button>
  );
}
